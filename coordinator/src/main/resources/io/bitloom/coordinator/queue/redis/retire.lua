-- Nothing is left to be done for a job that ended; from now on it grows old.
-- KEYS   1 active jobs, 2 deadlines, 3 open jobs of the tenant, 4 ended jobs: zset job -> when it
--        ended (ms)
-- ARGV   1 job
-- Reply  {}

redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
local t = redis.call('TIME')
redis.call('ZADD', KEYS[4], 'NX', t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
return {}
