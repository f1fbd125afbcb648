-- Takes the prompts that are to be drawn next and gives them to a worker. Their jobs are asked
-- afterwards (turn.lua).
--
-- Retries that are due and fresh prompts take turns. A retry shares a batch with other retries
-- only, and one that failed often goes alone, so that a prompt which brings workers down cannot do
-- so to fresh ones, nor twice to the same. Fresh prompts: the tenant with the lowest virtual time
-- gives prompts of its first flow and pays images / weight for them, until another tenant's time is
-- lower.
-- KEYS   of the bucket
-- ARGV   1 worker, 2 most images, 3 duration (ms), 4 failures after which a prompt goes alone,
--        5 ageing (ms), 6 secret of this request, which the lease is called by, 7 number m of leases
--        that are over, as finish.lua ends them, then these m, then for tenants that wait in other
--        buckets, too: tenant, number of buckets in which it waits; its weight is divided among these
-- Reply  {token or 0 if nothing is ready, number of the last notification, ms until a retry is due
--         or -1, 1 if fresh prompts are left, then for each job: job, tasks, tenant, ms since the first of
--         these prompts was enqueued, or a little more; '' and -1 for retries and where that is not
--         known}
--@include drain
--@include tasks
--@include bucket
--@include over

local before_spread = 7 + ARGV[7]
end_leases({unpack(ARGV, 8, before_spread)})

local max_images = tonumber(ARGV[2])
local ageing = tonumber(ARGV[5])
local now = now_ms()
local was = redis.call('HMGET', meta, 'prompts', 'images', 'clock', 'turn', 'wake', 'token')
local waiting, images_waiting = tonumber(was[1] or 0), tonumber(was[2] or 0)
local clock = tonumber(was[3] or 0)
local retries = redis.call('ZRANGE', retry, 0, max_images, 'WITHSCORES')

local batch, jobs = {}, {} -- job -> its tasks; the jobs in order
local waits = {} -- job -> its tenant and for how long its first prompt waited
local room = max_images

local function take(id, tasks, images)
  if not batch[id] then
    jobs[#jobs + 1] = id
  end
  batch[id] = (batch[id] or '') .. tasks
  room = room - images
end

local spread = {}
for i = before_spread + 1, #ARGV, 2 do
  spread[ARGV[i]] = tonumber(ARGV[i + 1])
end

-- The weight of a flow's tenant in this bucket.
local function weight(flow)
  return flow.w / (spread[flow.t] or 1)
end

local function charge(flow, images)
  if flow then
    redis.call('ZADD', tenants, 'XX', 'INCR', images / weight(flow), flow.t)
  end
end

local function take_retries()
  local alone_from = tonumber(ARGV[4]) + 1
  for k = 1, #retries, 2 do
    if tonumber(retries[k + 1]) > now then
      return
    end
    local id, task = string.sub(retries[k], 1, -TASK - 2), string.sub(retries[k], -TASK)
    local images = string.byte(task, ENTRY)
    local alone = attempt_of(task) >= alone_from
    local flow = load_flow(id)
    if flow and flow.z then
      redis.call('ZREM', retry, retries[k])
      park(flow, task)
    elseif (images <= room or #jobs == 0) and (#jobs == 0 or not alone) then
      redis.call('ZREM', retry, retries[k])
      take(id, task, images)
      charge(flow, images)
      if alone then
        return
      end
    end
  end
end

-- The first flow of a tenant with its first run, or nil if it has none.
local function first_flow(tenant)
  local member =
    redis.call('ZRANGEBYLEX', ready, '[' .. tenant .. '\0', '(' .. tenant .. '\1', 'LIMIT', 0, 1)[1]
  if member then
    local id = string.match(member, '%z([^%z]*)$')
    local flow = load_flow(id)
    return {id = id, member = member, flow = flow, at = 1, taken = 0,
      run = redis.call('HGET', runs, flow.f .. ':' .. flow.h)}
  end
end

-- How many entries of the current run fit and are paid before the tenant's time passes the limit;
-- at least the first one if that fits. Returns their number and their images.
local function affordable(served, time, limit)
  local flow, left = served.flow, (#served.run - served.at + 1) / ENTRY
  if flow.n == flow.i then -- one image each: no need to look at them
    local n = math.min(left, room, math.max(1, math.floor((limit - time) * weight(flow)) + 1))
    return n, n
  end
  local n, images = 0, 0
  while n < left do
    local more = string.byte(served.run, served.at + n * ENTRY + ENTRY - 1)
    local fits = images + more <= room or n == 0 and #jobs == 0
    if not fits or n > 0 and time + images / weight(flow) > limit then
      break
    end
    n, images = n + 1, images + more
  end
  return n, images
end

-- Takes the next entries of a flow.
local function advance(served, n, images)
  local flow = served.flow
  local entries = string.sub(served.run, served.at, served.at + n * ENTRY - 1)
  if flow.e and not waits[served.id] then
    waits[served.id] = {flow.t, math.max(0, now - flow.e)}
  end
  take(served.id, string.gsub(entries, string.rep('.', ENTRY), '%0\1'), images)
  flow.n, flow.i = flow.n - n, flow.i - images
  waiting, images_waiting = waiting - n, images_waiting - images
  served.taken, served.at = served.taken + n, served.at + n * ENTRY
  if served.at > #served.run then
    redis.call('HDEL', runs, flow.f .. ':' .. flow.h)
    flow.h = flow.h + 1
    served.at = 1
    served.run = flow.n > 0 and redis.call('HGET', runs, flow.f .. ':' .. flow.h)
  end
end

-- Writes back what became of a flow.
local function put_back(served)
  local flow = served.flow
  redis.call('ZREM', ready, served.member)
  if flow.n > 0 then
    if served.at > 1 then
      redis.call('HSET', runs, flow.f .. ':' .. flow.h, string.sub(served.run, served.at))
    end
    line_up(served.id, flow, ageing, now)
    if flow.x and struct.unpack('>I4', served.run, served.at + 4) > flow.x then
      flow.e, flow.x, flow.y = flow.y, nil, nil
    end
  else
    count_flow(flow, -1)
  end
  save_flow(served.id, flow)
end

-- The tenants that can have a prompt in this batch, by virtual time.
local function line_of_tenants()
  local line = {}
  local scores = redis.call('ZRANGE', tenants, 0, max_images, 'WITHSCORES')
  for k = 1, #scores, 2 do
    line[#line + 1] = {name = scores[k], time = tonumber(scores[k + 1])}
  end
  return line
end

-- The tenant with the lowest time and the time of the next one.
local function lowest_of(line)
  local lowest, limit = 1, math.huge
  for k = 2, #line do
    if line[k].time < line[lowest].time then
      lowest, limit = k, line[lowest].time
    else
      limit = math.min(limit, line[k].time)
    end
  end
  return lowest, limit
end

local function take_fresh()
  local line, paid = line_of_tenants(), {}
  while #line > 0 and room > 0 do
    local lowest, limit = lowest_of(line)
    local tenant = line[lowest]
    tenant.served = tenant.served or first_flow(tenant.name)
    if not tenant.served then
      redis.call('ZREM', tenants, tenant.name)
      paid[tenant] = nil
      table.remove(line, lowest)
    else
      local served = tenant.served
      local n, images = affordable(served, tenant.time, limit)
      if n == 0 then
        table.remove(line, lowest)
      else
        advance(served, n, images)
        clock = math.max(clock, tenant.time + (images - 1) / weight(served.flow))
        tenant.time = tenant.time + images / weight(served.flow)
        paid[tenant] = true
        if served.flow.n == 0 then
          put_back(served)
          tenant.served = nil
        end
      end
    end
  end
  for tenant in pairs(paid) do
    if tenant.served and tenant.served.taken > 0 then
      put_back(tenant.served)
    end
    redis.call('ZADD', tenants, 'XX', string.format('%.17g', tenant.time), tenant.name)
  end
end

local turns = {'retries', 'fresh'}
if waiting > 0 and was[4] == 'retries' then
  turns = {'fresh', 'retries'}
end
local turn
for _, which in ipairs(turns) do
  if #jobs == 0 then
    turn = which
    if which == 'fresh' then
      take_fresh()
    else
      take_retries()
    end
  end
end

local token = 0
if #jobs > 0 then
  token = tonumber(was[6] or now_us()) + 1
  redis.call('HSET', meta, 'token', string.format('%.0f', token), 'turn', turn, 'since', now,
    'prompts', waiting, 'images', images_waiting, 'clock', string.format('%.17g', clock))
  local name = string.format('%.0f.%s', token, ARGV[6])
  redis.call('ZADD', leases, now + ARGV[3], name)
  redis.call('HSET', held, name, cmsgpack.pack({w = ARGV[1], t = batch}))
end
local next_retry = retries[2]
if next_retry and tonumber(next_retry) <= now then
  next_retry = redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES')[2]
end
local reply = {token, tonumber(was[5] or now_us()), next_retry and math.max(0, next_retry - now) or -1,
  waiting > 0 and 1 or 0}
for _, id in ipairs(jobs) do
  reply[#reply + 1] = id
  reply[#reply + 1] = batch[id]
  reply[#reply + 1] = waits[id] and waits[id][1] or ''
  reply[#reply + 1] = waits[id] and waits[id][2] or -1
end
return reply
