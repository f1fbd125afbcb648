-- Reads what a crash may have left half-done in a job.
-- KEYS   of the job
-- ARGV   none
-- Reply  {state or false if there is no such job, {bucket, offset of its last prompt, ...},
--        {holder, tasks, ...}}
--@include tasks
--@include job

return {redis.call('HGET', job, 'state'), redis.call('HGETALL', buckets),
  redis.call('HGETALL', running)}
