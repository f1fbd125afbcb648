-- Ends leases of which every prompt has its outcome: nothing of them has to be read.
local function end_leases(names)
  if #names > 0 then
    redis.call('HDEL', held, unpack(names))
    redis.call('ZREM', leases, unpack(names))
  end
end
