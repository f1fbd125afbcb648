-- Cancels a job, some groups of prompts at a time; those that workers hold are left to them.
-- Repeating it changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 id in the prompts from which to go on, first '0', 3 number of
--        groups
-- Reply  {'cancelling', id to go on from or '' after the last group, 1 if the job is terminal now};
--        {'state', state or false if there is no such job}: it is terminal already
--@include job
--@include outcomes

local state = redis.call('HGET', job, 'state')
if state == 'ACCEPTING' or state == 'QUEUED' or state == 'RUNNING' then
  redis.call('HSET', job, 'state', 'CANCELLING')
elseif state ~= 'CANCELLING' then
  return {'state', state}
end

local groups = redis.call('XRANGE', prompts, ARGV[2], '+', 'COUNT', ARGV[3])
local now = now_ms()
local last = ''
local finished = 0
for _, entry in ipairs(groups) do
  local entries = entry[2][4]
  local group = string.match(entry[1], '^%d+') - 1
  local bits, holders = {'BITFIELD', done}, {'HMGET', running}
  for at = 1, #entries, 5 do
    local offset = struct.unpack('>I4', entries, at)
    bits[#bits + 1] = 'GET'
    bits[#bits + 1] = 'u1'
    bits[#bits + 1] = offset
    holders[#holders + 1] = offset
  end
  local decided, held = redis.call(unpack(bits)), redis.call(unpack(holders))
  local cancelled = {}
  for k = 1, #decided do
    if decided[k] == 0 and not held[k] then
      cancelled[#cancelled + 1] = {holders[k + 2], 'C', 0, group, ''}
    end
  end
  finished = record(cancelled, now)
  last = group + 2
end
if #groups < tonumber(ARGV[3]) then
  last = ''
  finished = finish(now)
end
redis.call('PUBLISH', ARGV[1], '')
return {'cancelling', last, finished}
