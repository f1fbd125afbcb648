-- Takes the prompts that are to be drawn next and gives them to a worker. Their jobs are asked
-- afterwards (start.lua).
--
-- Retries that are due and fresh prompts take turns. A retry shares a batch with other retries
-- only, and one that failed often goes alone, so that a prompt which brings workers down cannot do
-- so to fresh ones, nor twice to the same. Fresh prompts: the tenant with the lowest virtual time
-- gives one prompt of its first flow and pays images / weight for it, again and again.
-- KEYS   of the bucket
-- ARGV   1 worker, 2 most images, 3 duration (ms), 4 failures after which a prompt goes alone,
--        5 ageing (ms)
-- Reply  {token or 0 if nothing is ready, number of the last notification, ms until a retry is due
--         or -1, 1 if fresh prompts are left, then for each prompt: job, offset, group, images,
--         attempt}
--@include bucket

local max_images = tonumber(ARGV[2])
local ageing = tonumber(ARGV[5])
local now = now_ms()
local was = redis.call('HMGET', meta, 'prompts', 'clock', 'turn', 'wake')
local waiting = tonumber(was[1] or 0)
local clock = tonumber(was[2] or 0)

local batch = {}
local room = max_images

-- A batch never asks for more than max_images, unless it is one prompt.
local function fits(images)
  return images <= room or #batch == 0
end

local function take(id, offset, group, images, attempt)
  batch[#batch + 1] = {id, offset, group, images, attempt}
  room = room - images
end

local function charge(id, images)
  local flow = load_flow(id)
  if flow then
    redis.call('ZADD', tenants, 'XX', 'INCR', images / flow.w, flow.t)
  end
end

local function take_retries()
  local alone_from = tonumber(ARGV[4]) + 1
  local due = redis.call('ZRANGEBYSCORE', retry, '-inf', now, 'LIMIT', 0, math.max(1, max_images))
  for k, task in ipairs(due) do
    local id, offset, group, images, attempt =
      string.match(task, '^(.*):(%d+):(%d+):(%d+):(%d+)$')
    images, attempt = tonumber(images), tonumber(attempt)
    local alone = attempt >= alone_from
    if fits(images) and (not alone or k == 1) then
      redis.call('ZREM', retry, task)
      take(id, tonumber(offset), tonumber(group), images, attempt)
      charge(id, images)
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
    return {id = id, member = member, flow = flow, at = 1, taken = 0, images = 0,
      run = redis.call('HGET', runs, flow.f .. ':' .. flow.h)}
  end
end

-- Writes back what was taken of a flow.
local function put_back(served)
  local flow = served.flow
  local run = flow.f .. ':' .. flow.h
  if served.at > #served.run then
    redis.call('HDEL', runs, run)
    flow.h = flow.h + 1
  elseif served.at > 1 then
    redis.call('HSET', runs, run, string.sub(served.run, served.at))
  end
  redis.call('ZREM', ready, served.member)
  flow.n, flow.i = flow.n - served.taken, flow.i - served.images
  if flow.n > 0 then
    line_up(served.id, flow, ageing, now)
  end
  save_flow(served.id, flow)
  redis.call('HINCRBY', meta, 'images', -served.images)
  waiting = redis.call('HINCRBY', meta, 'prompts', -served.taken)
end

-- Moves to the next entry of a flow; false after its last.
local function advance(served, images)
  served.at = served.at + ENTRY
  served.taken, served.images = served.taken + 1, served.images + images
  if served.at > #served.run and served.taken < served.flow.n then
    redis.call('HDEL', runs, served.flow.f .. ':' .. served.flow.h)
    served.flow.h = served.flow.h + 1
    served.run = redis.call('HGET', runs, served.flow.f .. ':' .. served.flow.h)
    served.at = 1
  end
  return served.taken < served.flow.n
end

local function take_fresh()
  local line = {}
  local scores = redis.call('ZRANGE', tenants, 0, math.max(1, max_images) - 1, 'WITHSCORES')
  for k = 1, #scores, 2 do
    line[#line + 1] = {name = scores[k], time = tonumber(scores[k + 1])}
  end
  local touched = {}
  while #line > 0 and (room > 0 or #batch == 0) do
    local lowest = 1
    for k = 2, #line do
      if line[k].time < line[lowest].time then
        lowest = k
      end
    end
    local tenant = line[lowest]
    tenant.served = tenant.served or first_flow(tenant.name)
    local served = tenant.served
    if not served then
      redis.call('ZREM', tenants, tenant.name)
      table.remove(line, lowest)
    else
      local group, offset, images = struct.unpack('>I4I4B', served.run, served.at)
      if not fits(images) then
        table.remove(line, lowest)
      else
        take(served.id, offset, group, images, 1)
        touched[tenant] = true
        clock = math.max(clock, tenant.time)
        tenant.time = tenant.time + images / served.flow.w
        if not advance(served, images) then
          put_back(served)
          tenant.served = nil
        end
      end
    end
  end
  for tenant in pairs(touched) do
    if tenant.served and tenant.served.taken > 0 then
      put_back(tenant.served)
    end
    redis.call('ZADD', tenants, 'XX', string.format('%.17g', tenant.time), tenant.name)
  end
  if #batch > 0 then
    redis.call('HSET', meta, 'clock', string.format('%.17g', clock))
  end
end

local turns = {'retries', 'fresh'}
if waiting > 0 and was[3] == 'retries' then
  turns = {'fresh', 'retries'}
end
local turn
for _, which in ipairs(turns) do
  if #batch == 0 then
    turn = which
    if which == 'fresh' then
      take_fresh()
    else
      take_retries()
    end
  end
end

local next_retry = redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES')[2]
local token = 0
if #batch > 0 then
  token = redis.call('HINCRBY', meta, 'token', 1)
  redis.call('HSET', meta, 'turn', turn)
  redis.call('ZADD', leases, now + ARGV[3], token)
  local tasks = {}
  for _, t in ipairs(batch) do
    tasks[t[1] .. ':' .. string.format('%.0f', t[2])] = {t[3], t[4], t[5]}
  end
  redis.call('HSET', held, token, cmsgpack.pack({w = ARGV[1], t = tasks}))
end
local reply = {token, tonumber(was[4] or 0), next_retry and math.max(0, next_retry - now) or -1,
  waiting > 0 and 1 or 0}
for _, t in ipairs(batch) do
  for k = 1, 5 do
    reply[#reply + 1] = t[k]
  end
end
return reply
