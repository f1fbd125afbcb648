-- Pauses or resumes a job, or changes its priority. Its buckets are told afterwards
-- (reschedule.lua). Repeating it changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 'pause', 'resume' or 'priority', 3 the new priority, or empty
-- Reply  {'adjusted', revision, priority, 1 if paused, else 0};
--        {'state', state or false if there is no such job}: it ends or has ended
--@include drain
--@include tasks
--@include job
--@include outcomes

local was = redis.call('HMGET', job, 'state', 'revision', 'priority', 'sealed', 'started')
local state, priority = was[1], was[3]
if terminal(state) == 1 or state == 'CANCELLING' then
  return {'state', state}
end
if ARGV[2] == 'pause' then
  state = 'PAUSED'
elseif ARGV[2] == 'priority' then
  priority = ARGV[3]
elseif state == 'PAUSED' then
  state = not was[4] and 'ACCEPTING' or was[5] and 'RUNNING' or 'QUEUED'
end
local revision = tonumber(was[2])
if state ~= was[1] or priority ~= was[3] then
  revision = revision + 1
  redis.call('HSET', job, 'state', state, 'priority', priority, 'revision', revision)
  tell(ARGV[1])
end
return {'adjusted', revision, tonumber(priority), state == 'PAUSED' and 1 or 0}
