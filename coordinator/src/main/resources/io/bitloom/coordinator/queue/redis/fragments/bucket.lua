-- The keys of one bucket, for every script that works on a bucket. A flow is what fair queueing
-- serves in turn: the prompts of one job in one bucket.
--   flows    hash    job -> packed flow: how the job stands in this bucket; t: tenant, w: weight,
--                    p: priority, f: short id, m: offset of the last prompt that was enqueued,
--                    h and l: first and last run, n: prompts and i: images that wait, s: since
--                    when it waits to be served (ms), r: rank, v: revision of the job that p and z
--                    are of, z: the job is paused. A paused flow is not in `ready`, and what waits
--                    in it does not count in `meta`. For metrics alone, e: when the first entry
--                    that waits was enqueued, or one before it (ms), x: offset of a prompt, y: when
--                    those behind it began to be enqueued; y comes in the place of e when all that
--                    waits is behind x. Who does not know e, x and y leaves them as they are
--   runs     hash    '<flow id>:<run>' -> entries that wait for their first attempt, in order;
--                    '<flow id>:p' -> tasks for a later attempt that came up while it was paused
--   ready    zset    '<tenant>\0<rank>\0<job>', all with score 0: the flows with entries; of a
--                    tenant the one with the lowest rank goes first
--   tenants  zset    tenant -> virtual time: images served by weight
--   retry    zset    '<job>:<task>' -> when this attempt may start (ms)
--   leases   zset    lease -> expiry (ms)
--   held     hash    lease -> packed lease; w: worker or false, t: job -> tasks
--   meta     hash    token: the last one; wake: number of the last notification, both from the time
--                    of Redis (us) on, so that none comes twice if the bucket is forgotten and made
--                    again; flow: the last short id; clock: virtual time of the bucket; prompts,
--                    images: that wait for their first attempt; turn: what the last lease was made
--                    of; since: when that was, or prompts became ready where none were (ms)
--   lines    hash    '<priority>:<weight>:<tenant>' -> flows in `ready` that compete so
-- A lease is called '<token>.<secret>', the fencing token and the secret of the request that made
-- it: who does not know the secret names no lease.
-- Jobs and tenants come escaped: no colon, no \0.
local flows, runs, ready, tenants, retry, leases, held, meta, lines = unpack(KEYS)

local function load_flow(id)
  local packed = redis.call('HGET', flows, id)
  return packed and cmsgpack.unpack(packed)
end

local function save_flow(id, flow)
  redis.call('HSET', flows, id, cmsgpack.pack(flow))
end

-- The place of a flow in `ready`.
local function place(id, flow)
  return string.format('%s\0%018.0f\0%s', flow.t, flow.r, id)
end

-- Sends a flow that was served or had no entries to the back of its priority. A job that is not
-- served for `ageing` ms comes before one that was served just now and has a priority more. A rank
-- counts microseconds: in one millisecond, jobs are served more than once.
local function line_up(id, flow, ageing, now)
  flow.s = now
  flow.r = now_us() - flow.p * ageing * 1000
  redis.call('ZADD', ready, 0, place(id, flow))
end

-- By what a flow competes, as `lines` calls it.
local function line_of(flow)
  return string.format('%d:%.17g:%s', flow.p, flow.w, flow.t)
end

-- Counts a flow among those in `ready`, or no more.
local function count_flow(flow, more)
  local line = line_of(flow)
  if redis.call('HINCRBY', lines, line, more) <= 0 then
    redis.call('HDEL', lines, line)
  end
end

-- Makes a flow that had no entries ready.
local function make_ready(id, flow, ageing, now)
  line_up(id, flow, ageing, now)
  count_flow(flow, 1)
  local clock = redis.call('HGET', meta, 'clock') or 0
  redis.call('ZADD', tenants, 'NX', clock, flow.t)
end

-- Counts prompts of a flow, less or more, as ready to be leased. Returns how many are now.
local function count_ready(n, images, now)
  redis.call('HINCRBY', meta, 'images', images)
  local prompts = redis.call('HINCRBY', meta, 'prompts', n)
  if prompts == n then
    redis.call('HSET', meta, 'since', now)
  end
  return prompts
end

-- Takes a flow that is in `ready` out of it, with all that waits in it.
local function leave(id, flow, now)
  redis.call('ZREM', ready, place(id, flow))
  count_flow(flow, -1)
  count_ready(-flow.n, -flow.i, now)
end

-- Adds entries to the numbers of a flow, which is ready then unless it is paused. Returns whether
-- the bucket had nothing before.
local function add_entries(id, flow, n, images, ageing, now)
  if flow.n == 0 and not flow.z then
    make_ready(id, flow, ageing, now)
  end
  flow.n, flow.i = flow.n + n, flow.i + images
  return not flow.z and count_ready(n, images, now) == n
end

-- Keeps a task of a paused flow until the flow goes on.
local function park(flow, task)
  local field = flow.f .. ':p'
  redis.call('HSET', runs, field, (redis.call('HGET', runs, field) or '') .. task)
end

-- Lets a flow compete as its job does since this revision. Returns whether prompts became ready.
local function adjust(id, flow, priority, paused, revision, ageing, now)
  if revision < (flow.v or 0) then
    return false
  end
  if flow.n > 0 and not flow.z then
    leave(id, flow, now)
  end
  local parked = not paused and flow.z and redis.call('HGET', runs, flow.f .. ':p') or ''
  for at = 1, #parked, TASK do
    redis.call('ZADD', retry, now, id .. ':' .. string.sub(parked, at, at + TASK - 1))
  end
  if parked ~= '' then
    redis.call('HDEL', runs, flow.f .. ':p')
  end
  flow.v, flow.p, flow.z = revision, priority, paused or nil
  if flow.n > 0 and not paused then
    make_ready(id, flow, ageing, now)
    count_ready(flow.n, flow.i, now)
  end
  return parked ~= '' or flow.n > 0 and not paused
end
