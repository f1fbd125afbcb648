-- Ends the appending; repeating it changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 expected number of prompts, or empty
-- Reply  {'sealed', 1 if the job is terminal now}; {'count', its count} if that was not expected;
--        {'state', state or false} if it was cancelled or there is no such job
--@include drain
--@include tasks
--@include job
--@include outcomes

local was = redis.call('HMGET', job, 'state', 'appended', 'sealed', 'started')
local state = was[1]
local ends = state == 'CANCELLING' or terminal(state) == 1
if not state or ends and not was[3] then
  return {'state', state}
end
if ARGV[2] ~= '' and ARGV[2] ~= was[2] then
  return {'count', tonumber(was[2])}
end
if was[3] then
  return {'sealed', 0}
end
local now = now_ms()
if state ~= 'PAUSED' then
  state = was[4] and 'RUNNING' or 'QUEUED'
end
redis.call('HSET', job, 'state', state, 'sealed', now)
local ended = record({}, {}, 0, now)
tell(ARGV[1])
return {'sealed', ended}
