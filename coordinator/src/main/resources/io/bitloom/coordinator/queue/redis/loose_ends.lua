-- Reads what a crash may have left half-done in a job.
-- KEYS   of the job
-- ARGV   none
-- Reply  {state or false if there is no such job, tenant, revision, priority, {bucket, offset of its
--        last prompt, ...}, {holder, tasks, ...}}
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'state', 'tenant', 'revision', 'priority')
return {was[1], was[2], was[3], was[4], redis.call('HGETALL', buckets),
  redis.call('HGETALL', running)}
