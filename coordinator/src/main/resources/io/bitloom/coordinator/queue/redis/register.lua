-- Lists a job, before it is created (create.lua). Repeating it changes nothing but makes the job
-- active again, which a sweep corrects.
-- KEYS   1 all jobs, 2 jobs of the tenant, 3 active jobs: zsets job -> time (us), later ones higher;
--        4 deadlines: zset job -> time (ms); 5 open jobs of the tenant: set
-- ARGV   1 job, 2 completion window (ms), or empty, 3 most open jobs of the tenant
-- Reply  {1, deadline (ms), or empty}; {0, ''} if the tenant has that many: nothing changed

local listed = redis.call('ZSCORE', KEYS[1], ARGV[1])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
if not listed then
  if redis.call('SCARD', KEYS[5]) >= tonumber(ARGV[3]) then
    return {0, ''}
  end
  local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or 0
  listed = math.max(now, newest + 1)
end
listed = string.format('%.0f', listed)
redis.call('ZADD', KEYS[1], listed, ARGV[1])
redis.call('ZADD', KEYS[2], listed, ARGV[1])
redis.call('ZADD', KEYS[3], listed, ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
local deadline = ''
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[4], 'NX', math.floor(now / 1000) + ARGV[2], ARGV[1])
  deadline = redis.call('ZSCORE', KEYS[4], ARGV[1])
end
return {1, deadline}
