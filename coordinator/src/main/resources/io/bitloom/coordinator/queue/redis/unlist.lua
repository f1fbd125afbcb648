-- Takes a job that was deleted off all lists.
-- KEYS   1 ledger, 2 use of the tenant, then the lists: 3 all jobs, 4 jobs of the tenant, 5 active
--        jobs, 6 deadlines, 7 ended jobs, 8 ended jobs that nobody keeps, 9 open jobs of the tenant
-- ARGV   1 job
-- Reply  {}
--@include drain
--@include ledger

redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
redis.call('ZREM', KEYS[8], ARGV[1])
redis.call('SREM', KEYS[9], ARGV[1])
local was = entry_of(ARGV[1])
if was then
  enter(ARGV[1], was, nil)
end
return {}
