-- Postpones the expiry of leases of one worker.
-- KEYS   of the bucket
-- ARGV   1 worker, 2 duration (ms), then the leases
-- Reply  for each lease: 1 if renewed, 0 if it is gone or not the worker's
--@include drain
--@include tasks
--@include bucket
--@include leases

local expiry = now_ms() + ARGV[2]
local reply = {}
for i = 3, #ARGV do
  local lease = load_lease(ARGV[i])
  local mine = lease and lease.w == ARGV[1]
  if mine then
    redis.call('ZADD', leases, 'XX', expiry, ARGV[i])
  end
  reply[#reply + 1] = mine and 1 or 0
end
return reply
