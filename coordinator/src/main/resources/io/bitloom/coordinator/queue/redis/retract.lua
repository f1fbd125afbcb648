-- Forgets a model with its speeds, if no worker has had it for long. A worker that comes with it
-- says so first (serve.lua) and describes it then (announce.lua), so that it is not lost in between.
-- KEYS   1 models: hash name -> description, 2 seen: zset model -> when workers had it last (ms),
--        3 speeds: hash bucket -> seconds, 4 who serves the model, 5 likewise: '<bucket> <pool>' ->
--        seconds
-- ARGV   1 name, 2 for how long (ms), 3 with what the names of its buckets begin
-- Reply  {1 if it is gone, else 0}
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local seen = redis.call('ZSCORE', KEYS[2], ARGV[1])
if redis.call('EXISTS', KEYS[4]) == 1 or not seen or now - seen < tonumber(ARGV[2]) then
  return {0}
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
for k = 3, 5, 2 do
  for _, bucket in ipairs(redis.call('HKEYS', KEYS[k])) do
    if string.sub(bucket, 1, #ARGV[3]) == ARGV[3] then
      redis.call('HDEL', KEYS[k], bucket)
    end
  end
end
return {1}
