-- Keeps what callers change of what a job says about itself, in whatever state it is. The spec stays
-- as it was created, because repeated creations are compared with it.
-- KEYS   of the job
-- ARGV   1 channel of the job, then for each part: its name, what it says now
-- Reply  {1}, {0} if there is no such job
--@include tasks
--@include job

if redis.call('EXISTS', job) == 0 then
  return {0}
end
for k = 2, #ARGV, 2 do
  redis.call('HSET', job, 'now:' .. ARGV[k], ARGV[k + 1])
end
redis.call('PUBLISH', ARGV[1], '')
return {1}
