-- Reads prompts that a bucket may not have been told of.
-- KEYS   of the job
-- ARGV   1 bucket, 2 offset after which to look, 3 number of appends to look at
-- Reply  {offset after which to look next, or '' if there is nothing behind these, tenant, weight,
--        priority, revision, 1 if paused, entries}
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'tenant', 'weight', 'priority', 'revision', 'state')
local some = redis.call('XRANGE', appends, ARGV[2] + 2, '+', 'COUNT', ARGV[3])
local entries = {}
for _, append in ipairs(some) do
  if append[2][2] == ARGV[1] then
    entries[#entries + 1] = append[2][4]
  end
end
local go_on = ''
if #some == tonumber(ARGV[3]) then
  go_on = string.match(some[#some][1], '^%d+') - 1
end
return {go_on, was[1], was[2], was[3], was[4], was[5] == 'PAUSED' and 1 or 0,
  table.concat(entries)}
