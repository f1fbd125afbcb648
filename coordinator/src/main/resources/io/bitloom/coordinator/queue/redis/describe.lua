-- Keeps what callers change of what a job says about itself, in whatever state it is. The spec stays
-- as it was created, because repeated creations are compared with it.
-- KEYS   of the job
-- ARGV   1 channel of the job, then for each part: its name, what it says now
-- Reply  {1, tenant, bytes that the job takes now}, {0} if there is no such job
--@include tasks
--@include job

if redis.call('EXISTS', job) == 0 then
  return {0}
end
local takes = 0
for k = 2, #ARGV, 2 do
  redis.call('HSET', job, 'now:' .. ARGV[k], ARGV[k + 1])
  takes = takes + #ARGV[k + 1]
end
-- What a job takes never becomes less, so what it said before counts if that was longer.
local was = redis.call('HMGET', job, 'described', 'bytes', 'tenant')
local more = math.max(0, takes - (was[1] or 0))
local bytes = string.format('%.0f', (was[2] or 0) + more)
redis.call('HSET', job, 'described', math.max(takes, was[1] or 0), 'bytes', bytes)
tell(ARGV[1])
return {1, was[3], bytes}
