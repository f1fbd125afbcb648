-- Lets one coordinator at a time sweep. It asks when it wants to begin, and now and then while it
-- goes on; one that died loses its turn when its time is over.
-- KEYS   1 sweeper: hash, holder: whose turn it is, expires: until when (ms), began: when the last sweep
--        did (ms)
-- ARGV   1 coordinator, 2 how long its turn lasts (ms), 3 why it asks: 'turn' to begin if nobody else
--        does that, 'on' to go on, 'loss' to begin although it is another's turn, which may be dead,
--        because something was lost, 4 how long ago that was (ms), 5 least time between the beginnings of
--        two sweeps after losses (ms)
-- Reply  {1} if it is to sweep now; {0, ms after which to ask again, or -1 if another sees to it}
--@include drain

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local was = redis.call('HMGET', KEYS[1], 'holder', 'expires', 'began')
local mine = was[1] == ARGV[1]
local began = tonumber(was[3] or 0)

if ARGV[3] == 'loss' then
  if began > now - ARGV[4] then
    return {0, -1}
  elseif now - began < tonumber(ARGV[5]) then
    return {0, math.ceil(began + ARGV[5] - now)}
  end
elseif not mine and (ARGV[3] == 'on' or now < tonumber(was[2] or 0)) then
  return {0, -1}
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'expires', string.format('%.0f', now + ARGV[2]))
if ARGV[3] ~= 'on' then
  redis.call('HSET', KEYS[1], 'began', string.format('%.0f', now))
end
return {1}
