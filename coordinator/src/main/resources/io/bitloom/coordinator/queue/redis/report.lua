-- Lets one coordinator at a time tell the numbers of the whole cluster, so that they are there once.
-- KEYS   1 reporter: hash, holder: whose turn it is, expires: until when (ms)
-- ARGV   1 coordinator, 2 for how long it wants its turn to last (ms), 0: it gives it up
-- Reply  {1 if it is its turn}
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local was = redis.call('HMGET', KEYS[1], 'holder', 'expires')
if was[1] and was[1] ~= ARGV[1] and now < tonumber(was[2]) then
  return {0}
elseif ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return {0}
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'expires', string.format('%.0f', now + ARGV[2]))
return {1}
