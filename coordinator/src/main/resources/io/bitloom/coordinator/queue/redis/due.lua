-- Reads which jobs of a list are older than an age, or were put to its front (score 0).
-- KEYS   1 zset job -> time (ms)
-- ARGV   1 age (ms), 2 most jobs
-- Reply  {ms until the next one is, or -1, the jobs that are}

local t = redis.call('TIME')
local limit = math.max(0, t[1] * 1000 + math.floor(t[2] / 1000) - ARGV[1])
local late = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', limit, 'LIMIT', 0, ARGV[2])
local later = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. limit, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local reply = {later[2] and later[2] - limit or -1}
for _, job in ipairs(late) do
  reply[#reply + 1] = job
end
return reply
