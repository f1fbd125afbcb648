-- Renews or ends a claim that take_on.lua gave.
-- KEYS   1 list: zset job -> when its claim is over, or it may be begun (ms), 2 claims: hash job -> fencing
--        token of its last claim
-- ARGV   1 job, 2 token, 3 how long the claim lasts, or after what time somebody may take it on again
--        (ms); -1: nothing is left to be done
-- Reply  {1, or 0 if the claim is another's: nothing changed}
--@include drain

if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then
  return {0}
end
if ARGV[3] == '-1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
else
  local t = redis.call('TIME')
  redis.call('ZADD', KEYS[1],
    string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3]), ARGV[1])
end
return {1}
