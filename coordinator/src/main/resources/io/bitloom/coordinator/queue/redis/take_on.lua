-- Takes on jobs of a list for which something is to be done by one coordinator at a time: those that
-- nobody works on, or somebody who has not said for too long that he does.
-- KEYS   1 list: zset job -> when its claim is over, or it may be begun (ms), 2 claims: hash job -> fencing
--        token of its last claim
-- ARGV   1 most jobs, 2 how long a claim lasts (ms)
-- Reply  for each job that was taken on: job, token

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local reply = {}
for _, job in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  -- From the time of Redis on, so that none comes twice if the list is forgotten and made again.
  local token = string.format('%.0f',
    math.max(t[1] * 1000000 + t[2], (redis.call('HGET', KEYS[2], job) or 0) + 1))
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), job)
  redis.call('HSET', KEYS[2], job, token)
  reply[#reply + 1] = job
  reply[#reply + 1] = token
end
return reply
