-- Lists a job, before it is created (create.lua), if its tenant may have it. Repeating it changes
-- nothing but makes the job active again, which a sweep corrects.
-- KEYS   1 ledger, 2 use of the tenant, 3 all jobs, 4 jobs of the tenant, 5 active jobs: zsets
--        job -> time (us), later ones higher; 6 deadlines: zset job -> time (ms); 7 open jobs of the
--        tenant: set; 8 hooks, see fragments/hooks.lua
-- ARGV   1 job, 2 tenant, 3 completion window (ms), or empty, 4 bytes of the job, 5 prompts that will
--        follow at once, 6 bytes of these, then limits of the tenant: 7 open jobs, 8 prompts without
--        outcome, 9 bytes in Redis, 10 bytes of results, then 11 after which time to look whether
--        somebody is to be told of the job (ms), empty: nobody is
-- Reply  {1, deadline (ms), or empty}; {0, name of the limit that would be passed, what is used of
--        it}: nothing changed
--@include ledger

local listed = redis.call('ZSCORE', KEYS[3], ARGV[1])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
if not listed then
  local open = redis.call('SCARD', KEYS[7])
  if open >= tonumber(ARGV[7]) then
    return {0, 'open_jobs', open}
  end
  local prompts, bytes = tonumber(ARGV[5]), ARGV[4] + ARGV[6]
  local limit, used_up = exceeded(prompts, bytes,
    {prompts = tonumber(ARGV[8]), bytes = tonumber(ARGV[9]), results = tonumber(ARGV[10])})
  if limit then
    return {0, limit, used_up}
  end
  enter(ARGV[1], entry_of(ARGV[1]), {t = ARGV[2], a = 0, d = 0, b = tonumber(ARGV[4]), r = 0,
    h = prompts, g = bytes, u = math.floor(now / 1000)})
  local newest = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2] or 0
  listed = math.max(now, newest + 1)
end
listed = string.format('%.0f', listed)
redis.call('ZADD', KEYS[3], listed, ARGV[1])
redis.call('ZADD', KEYS[4], listed, ARGV[1])
redis.call('ZADD', KEYS[5], listed, ARGV[1])
redis.call('SADD', KEYS[7], ARGV[1])
if ARGV[11] ~= '' then
  redis.call('ZADD', KEYS[8], 'NX', string.format('%.0f', now + ARGV[11] * 1000), ARGV[1])
end
local deadline = ''
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[6], 'NX', math.floor(now / 1000) + ARGV[3], ARGV[1])
  deadline = redis.call('ZSCORE', KEYS[6], ARGV[1])
end
return {1, deadline}
