-- Reads what was kept of late of the scaling of pools (pool.lua).
-- KEYS   1 pools: hash id -> packed record
-- ARGV   1 for how long it may have been so (ms)
-- Reply  {the records}
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local reply = {}
local all = redis.call('HGETALL', KEYS[1])
for k = 1, #all, 2 do
  local kept = cmsgpack.unpack(all[k + 1])
  if now - kept.t < tonumber(ARGV[1]) then
    reply[#reply + 1] = kept.r
  end
end
return reply
