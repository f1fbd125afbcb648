-- Reads prompts that a bucket may not have been told of.
-- KEYS   of the job
-- ARGV   1 bucket, 2 offset of the last prompt that it was told of, or -1, 3 number of groups to
--        look at
-- Reply  {offset up to which the bucket's prompts are in the reply, or '' if they all are,
--        tenant, weight, priority, group, its entries, and so on}
--@include job

local was = redis.call('HMGET', job, 'tenant', 'weight', 'priority')
local index = string.match(redis.call('HGET', buckets, ARGV[1]) or '', '^%d+')
local groups = redis.call('XRANGE', prompts, ARGV[2] + 2, '+', 'COUNT', ARGV[3])
local reply = {'', was[1], was[2], was[3]}
for _, entry in ipairs(groups) do
  local group = string.match(entry[1], '^%d+') - 1
  if entry[2][2] == index then
    reply[#reply + 1] = group
    reply[#reply + 1] = entry[2][4]
  end
end
if #groups == tonumber(ARGV[3]) then
  reply[1] = string.match(groups[#groups][1], '^%d+') - 1
end
return reply
