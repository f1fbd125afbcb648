-- Reads what is kept of the scaling of a pool, or replaces it unless somebody has done so before. What
-- has not been replaced for its time is forgotten when something new is kept.
-- KEYS   1 pools: hash id -> packed record; v: version, t: since when it is so (ms), u: until when it is
--        kept (ms), r: the record
-- ARGV   1 id, 2 version that is replaced, 0: nothing is kept, or -1: only to read, 3 for how long it
--        is kept (ms), 4 most that are kept, 5 the record
-- Reply  {time (ms), version that is kept now or 0, its record}, or {time, -1} if too many are kept
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local packed = redis.call('HGET', KEYS[1], ARGV[1])
local kept = packed and cmsgpack.unpack(packed)
if kept and kept.u < now then
  kept = false
end
local version = kept and kept.v or 0
if version ~= tonumber(ARGV[2]) then
  return {now, version, kept and kept.r or ''}
end
if not packed then
  local all = redis.call('HGETALL', KEYS[1])
  for k = 1, #all, 2 do
    if cmsgpack.unpack(all[k + 1]).u < now then
      redis.call('HDEL', KEYS[1], all[k])
    end
  end
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
    return {now, -1}
  end
end
redis.call('HSET', KEYS[1], ARGV[1],
  cmsgpack.pack({v = version + 1, t = now, u = now + ARGV[3], r = ARGV[5]}))
return {now, version + 1, ARGV[5]}
