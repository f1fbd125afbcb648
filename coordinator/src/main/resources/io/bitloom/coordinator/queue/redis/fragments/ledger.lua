-- What a tenant's jobs take, for every script that changes it.
--   KEYS[1] ledger  hash  job -> packed entry. What its job said last: a: prompts appended, d: of
--                         these with their outcome, b: bytes in Redis, r: bytes of results; each
--                         only ever grows. Let in and perhaps not appended yet: h: prompts, g: bytes,
--                         both with all before them, u: since when (ms). t: tenant
--   KEYS[2] use     hash  of the tenant, the sums of the entries: prompts without outcome, bytes,
--                         results
-- Whatever changes an entry changes the sums by the same, so they cannot drift apart; whatever is
-- repeated, or comes late, changes nothing.
local function entry_of(id)
  local packed = redis.call('HGET', KEYS[1], id)
  return packed and cmsgpack.unpack(packed)
end

local function weigh(entry)
  if not entry then
    return 0, 0, 0
  end
  return math.max(entry.a, entry.h) - entry.d, math.max(entry.b, entry.g), entry.r
end

-- Replaces an entry, by nothing if `now` is nil.
local function enter(id, was, now)
  local prompts, bytes, results = weigh(was)
  local more_prompts, more_bytes, more_results = weigh(now)
  if now then
    redis.call('HSET', KEYS[1], id, cmsgpack.pack(now))
  else
    redis.call('HDEL', KEYS[1], id)
  end
  for field, by in pairs({prompts = more_prompts - prompts, bytes = more_bytes - bytes,
    results = more_results - results}) do
    if by ~= 0 then
      redis.call('HINCRBY', KEYS[2], field, string.format('%.0f', by))
    end
  end
end

-- What the tenant's jobs take: prompts, bytes, results.
local function used()
  local sums = redis.call('HMGET', KEYS[2], 'prompts', 'bytes', 'results')
  return tonumber(sums[1] or 0), tonumber(sums[2] or 0), tonumber(sums[3] or 0)
end

-- The name of the first limit that would be passed, and what is used of it; nil if none would be.
local function exceeded(more_prompts, more_bytes, limits)
  local prompts, bytes, results = used()
  if more_prompts > 0 and prompts + more_prompts > limits.prompts then
    return 'queued_prompts', prompts
  elseif bytes + more_bytes > limits.bytes then
    return 'queue_bytes', bytes
  elseif results >= limits.results then
    return 'result_bytes', results
  end
end
