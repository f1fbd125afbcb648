-- Reads which models no worker has had for long. One of which that is not known counts as had now.
-- KEYS   1 models: hash name -> description, 2 seen: zset model -> when workers had it last (ms)
-- ARGV   1 for how long (ms)
-- Reply  {the models}
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local reply = {}
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  local seen = redis.call('ZSCORE', KEYS[2], name)
  if not seen then
    redis.call('ZADD', KEYS[2], now, name)
  elseif now - seen >= tonumber(ARGV[1]) then
    reply[#reply + 1] = name
  end
end
return reply
