local function load_lease(name)
  local packed = redis.call('HGET', held, name)
  return packed and cmsgpack.unpack(packed)
end

-- Keeps what a lease still holds; a lease that holds nothing is gone.
local function save_lease(name, lease)
  if next(lease.t) then
    redis.call('HSET', held, name, cmsgpack.pack(lease))
  else
    redis.call('HDEL', held, name)
    redis.call('ZREM', leases, name)
  end
end

-- Takes named tasks of one job from a lease. Returns those that it held.
local function take_from_lease(lease, id, offsets)
  local inside, outside = split(lease.t[id] or '', offsets)
  lease.t[id] = outside ~= '' and outside or nil
  return inside
end
