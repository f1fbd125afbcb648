-- Takes a job that was deleted off all lists.
-- KEYS   the lists: all jobs, jobs of the tenant, active jobs, deadlines, ended jobs, open jobs of the
--        tenant
-- ARGV   1 job
-- Reply  {}

redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('SREM', KEYS[6], ARGV[1])
return {}
