-- Notes that a lease gave prompts back to their bucket: the second half of retry.lua, release.lua
-- and expire.lua. If the job was cancelled, they are cancelled now.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 1 if it was an attempt, else 0, 4 offsets
-- Reply  {1 if the job is terminal now, else 0}
--@include drain
--@include tasks
--@include job
--@include outcomes

local freed = take_from_holder(ARGV[2], ARGV[4])
if freed == '' then
  return {0}
end
local cancelled = ''
local was = redis.call('HMGET', job, 'state', 'ending')
if was[1] == 'CANCELLING' then
  cancelled = without_outcome(freed, TASK)
elseif ARGV[3] == '1' then
  redis.call('HINCRBY', job, 'retried', #freed / TASK)
end
local ended = record_all(cancelled, was[2], #freed / TASK, now_ms())
redis.call('PUBLISH', ARGV[1], '')
return {ended}
