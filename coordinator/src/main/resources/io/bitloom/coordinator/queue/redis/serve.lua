-- Says that workers of a coordinator have a model, unless others have it with another digest.
-- KEYS   1 who serves the model: zset '<coordinator> <digest>' -> expiry (ms), 2 seen: zset model ->
--        when workers had it last (ms)
-- ARGV   1 coordinator, 2 digest, 3 for how long (ms), 4 the model
-- Reply  {0} if nobody had the model, {1} if somebody had it, {2, digest} if somebody has it with
--        another digest: nothing changed

local t = redis.call('TIME')
local now = math.floor((t[1] * 1000000 + t[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local served = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
local digest = served and string.match(served, '^[^ ]* (.*)$')
if digest and digest ~= ARGV[2] then
  return {2, digest}
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1] .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], now, ARGV[4])
return {served and 1 or 0}
