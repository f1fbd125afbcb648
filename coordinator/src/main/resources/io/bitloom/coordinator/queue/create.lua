-- Creates a job that accepts prompts.
-- KEYS   of the job
-- ARGV   1 tenant, 2 weight, 3 priority, 4 spec
-- Reply  {'created'}, {'exists'} if it was created by the same values before, else {'differs'}
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'tenant', 'weight', 'priority', 'spec')
if was[1] then
  for i = 1, 4 do
    if was[i] ~= ARGV[i] then
      return {'differs'}
    end
  end
  return {'exists'}
end
redis.call('HSET', job, 'tenant', ARGV[1], 'weight', ARGV[2], 'priority', ARGV[3], 'spec', ARGV[4],
  'state', 'ACCEPTING', 'created', now_ms(),
  'appended', 0, 'running', 0, 'succeeded', 0, 'failed', 0, 'cancelled', 0, 'retried', 0)
return {'created'}
