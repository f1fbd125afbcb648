-- Reads what waits in a bucket.
-- KEYS   of the bucket
-- ARGV   none
-- Reply  {fresh prompts, images of them, retries, prompts held, leases, ms since the least recently
--        served flow waits, number of the last notification, ms until a retry is due or -1,
--        highest priority that waits or -1, tenant, its fresh prompts, its weight, and so on}
--@include tasks
--@include bucket

local now = now_ms()
local counts = redis.call('HMGET', meta, 'prompts', 'images', 'wake')
local since, priority, of_tenant, weights = now, -1, {}, {}
for _, packed in ipairs(redis.call('HVALS', flows)) do
  local flow = cmsgpack.unpack(packed)
  if flow.n > 0 and not flow.z then
    since = math.min(since, flow.s)
    priority = math.max(priority, flow.p)
    of_tenant[flow.t] = (of_tenant[flow.t] or 0) + flow.n
    weights[flow.t] = flow.w
  end
end
local held_prompts = 0
for _, packed in ipairs(redis.call('HVALS', held)) do
  for _, tasks in pairs(cmsgpack.unpack(packed).t) do
    held_prompts = held_prompts + #tasks / TASK
  end
end
local first_retry = redis.call('ZRANGE', retry, 0, 0)[1]
local retried = first_retry and load_flow(string.match(first_retry, '^[^:]*'))
if retried then
  priority = math.max(priority, retried.p)
end
local next_retry = redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES')[2]
local reply = {tonumber(counts[1] or 0), tonumber(counts[2] or 0), redis.call('ZCARD', retry),
  held_prompts, redis.call('HLEN', held), now - since, tonumber(counts[3] or 0),
  next_retry and math.max(0, next_retry - now) or -1, priority}
for tenant, n in pairs(of_tenant) do
  reply[#reply + 1] = tenant
  reply[#reply + 1] = n
  reply[#reply + 1] = tostring(weights[tenant])
end
return reply
