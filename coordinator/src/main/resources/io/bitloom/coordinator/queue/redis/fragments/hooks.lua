-- Jobs of which somebody may have to be told something are in two keys, k and the next one:
--   hooks    zset    job -> when to look at it next (us); of one that is claimed, when the claim ends
--   claims   hash    job -> claim, with a w behind it if more has become of the job since

local function now_us()
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

-- The claim that is on a job, and whether more has become of it since; nil if there is none.
local function claim_of(k, id)
  local c = k + 1
  local claim, woken = string.match(redis.call('HGET', KEYS[c], id) or '', '^(%d+)(w?)$')
  return claim, woken == 'w'
end

local function look_at(k, id, due)
  redis.call('ZADD', KEYS[k], string.format('%.0f', due), id)
end

-- Has a job looked at by then, or as soon as the claim on it is given back.
local function wake(k, id, due)
  local c, claim = k + 1, claim_of(k, id)
  local score = redis.call('ZSCORE', KEYS[k], id)
  if claim and tonumber(claim) > now_us() then
    redis.call('HSET', KEYS[c], id, claim .. 'w')
  elseif not score or tonumber(score) > due then
    look_at(k, id, due)
  end
end
