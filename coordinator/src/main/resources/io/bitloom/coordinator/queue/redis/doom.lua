-- Puts a job to the front of those that are to be deleted, so that a deletion which breaks off is
-- done by the next one.
-- KEYS   1 ended jobs: zset job -> when it ended (ms)
-- ARGV   1 job
-- Reply  {}
--@include drain

redis.call('ZADD', KEYS[1], 0, ARGV[1])
return {}
