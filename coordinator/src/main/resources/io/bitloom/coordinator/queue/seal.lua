-- Ends the appending; repeating it changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 expected number of prompts, or empty
-- Reply  {'sealed', 1 if the job is terminal now}; {'count', its count} if that was not expected;
--        {'state', state or false} if it was cancelled or there is no such job
--@include tasks
--@include job
--@include outcomes

local was = redis.call('HMGET', job, 'state', 'appended', 'sealed', 'started')
local state = was[1]
if not state or state == 'CANCELLING' or state == 'CANCELLED' then
  return {'state', state}
end
if ARGV[2] ~= '' and ARGV[2] ~= was[2] then
  return {'count', tonumber(was[2])}
end
if state ~= 'ACCEPTING' then
  return {'sealed', 0}
end
local now = now_ms()
redis.call('HSET', job, 'state', was[4] and 'RUNNING' or 'QUEUED', 'sealed', now)
local ended = record({}, {}, 0, now)
redis.call('PUBLISH', ARGV[1], '')
return {'sealed', ended}
