-- Nothing is left to be done for a job that ended; from now on it grows old, and what it takes stays
-- as it is.
-- KEYS   1 ledger, 2 use of the tenant, 3 active jobs, 4 deadlines, 5 open jobs of the tenant,
--        6 ended jobs: zset job -> when it ended (ms), 7 jobs of the tenant, 8 hooks, 9 claims,
--        see fragments/hooks.lua, 10 jobs whose outcomes are to be written to files: zset job -> when
--        (ms), see take_on.lua
-- ARGV   1 job, 2 tenant, 3 prompts, 4 bytes in Redis, 5 bytes of results, 6 1 if its outcomes are to be
--        written to files, else 0
-- Reply  {1 if it was among the active jobs until now, 1 if somebody may have to be told, else 0}
--@include drain
--@include ledger
--@include hooks

if ARGV[6] == '1' and redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  redis.call('ZADD', KEYS[10], 'NX', 0, ARGV[1])
end
local was_active = redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('SREM', KEYS[5], ARGV[1])
local t = redis.call('TIME')
redis.call('ZADD', KEYS[6], 'NX', t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
if redis.call('ZSCORE', KEYS[7], ARGV[1]) then
  enter(ARGV[1], entry_of(ARGV[1]) or nil, {t = ARGV[2], a = tonumber(ARGV[3]),
    d = tonumber(ARGV[3]), b = tonumber(ARGV[4]), r = tonumber(ARGV[5]), h = 0, g = 0, u = 0})
end
local hooked = redis.call('ZSCORE', KEYS[8], ARGV[1])
if hooked then
  wake(8, ARGV[1], now_us())
end
return {was_active, hooked and 1 or 0}
