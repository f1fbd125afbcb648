-- Has somebody told what becomes of a job, from the first event that was not delivered on, as if no
-- attempt had failed.
-- KEYS   of the job
-- ARGV   1 channel of the job
-- Reply  {1 if there is such a job, else 0}
--@include tasks
--@include job

if redis.call('EXISTS', job) == 0 then
  return {0}
end
redis.call('HSET', job, 'hook', 1)
redis.call('HDEL', job, 'hook:tries', 'hook:next', 'hook:error', 'hook:dead', 'hook:gone')
tell(ARGV[1])
return {1}
