-- Says what the workers of a coordinator can do, and hears what those of the others can.
-- KEYS   1 workers: hash coordinator -> packed record; u: until when it holds (ms), r: the record
-- ARGV   1 coordinator, 2 for how long its record holds (ms), 3 the record, or empty: it has no workers
-- Reply  {the records of the others}
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local reply = {}
local all = redis.call('HGETALL', KEYS[1])
for k = 1, #all, 2 do
  local of_other = all[k] ~= ARGV[1] and cmsgpack.unpack(all[k + 1])
  if of_other and of_other.u < now then
    redis.call('HDEL', KEYS[1], all[k])
  elseif of_other then
    reply[#reply + 1] = of_other.r
  end
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack({u = now + ARGV[2], r = ARGV[3]}))
end
return reply
