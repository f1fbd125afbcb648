-- Ends a job whose other parts have ended, unless its first part has prompts without outcome.
-- Repeating it changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 prompts of the other parts that succeeded, 3 that failed
-- Reply  {1 if the job is terminal now, else 0}
--@include drain
--@include tasks
--@include job
--@include outcomes

local was = redis.call('HMGET', job, 'state', 'appended', 'succeeded', 'failed', 'cancelled', 'sealed',
  'ending', 'refused')
local decided = (was[3] or 0) + (was[4] or 0) + (was[5] or 0)
local ended = decided == tonumber(was[2])
  and end_state(was[1], was[6], was[7], was[3] + ARGV[2], was[4] + ARGV[3], was[8])
if ended then
  redis.call('HSET', job, 'state', ended, 'ended', now_ms(), 'running', 0)
  tell(ARGV[1])
end
return {terminal(ended or was[1])}
