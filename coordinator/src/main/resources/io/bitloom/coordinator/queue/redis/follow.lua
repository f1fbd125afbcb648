-- Tells a part of a job how the job stands; what is older than what it knows is ignored. Its buckets
-- are told afterwards (reschedule.lua).
-- KEYS   of the part
-- ARGV   1 channel of the job, 2 revision of the job, 3 its priority, 4 1 if it is paused, else 0
-- Reply  {'adjusted', revision, priority, 1 if paused, else 0};
--        {'state', state or false if there is no such part}: it ends or has ended
--@include drain
--@include tasks
--@include job
--@include outcomes

local was = redis.call('HMGET', job, 'state', 'revision', 'priority', 'sealed', 'started')
local state, revision, priority = was[1], tonumber(was[2]), was[3]
if terminal(state) == 1 or state == 'CANCELLING' then
  return {'state', state}
end
if tonumber(ARGV[2]) > revision then
  revision, priority = tonumber(ARGV[2]), ARGV[3]
  state = ARGV[4] == '1' and 'PAUSED' or not was[4] and 'ACCEPTING' or was[5] and 'RUNNING' or 'QUEUED'
  redis.call('HSET', job, 'state', state, 'priority', priority, 'revision', revision)
  tell(ARGV[1])
end
return {'adjusted', revision, tonumber(priority), state == 'PAUSED' and 1 or 0}
