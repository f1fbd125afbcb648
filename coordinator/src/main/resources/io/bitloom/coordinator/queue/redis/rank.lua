-- Reads what a bucket competes by, and how its notifications stand. Costs the same however many jobs
-- wait in it.
-- KEYS   of the bucket
-- ARGV   1 1 if `lines` is right, 0 if coordinators that do not keep it may have been at work
-- Reply  {number of the last notification, ms until a retry is due or -1, prompts that wait for their
--        first attempt, retries, leases, highest priority that waits or -1, then for each tenant of
--        which fresh prompts wait: tenant, weight}
--@include tasks
--@include bucket
--@include lines

local counts = redis.call('HMGET', meta, 'wake', 'prompts')
local next_retry = redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES')
local priority, weights = -1, {}
for line in pairs(ARGV[1] == '1' and kept_lines() or counted_lines()) do
  local p, weight, tenant = string.match(line, '^([^:]*):([^:]*):(.*)$')
  priority = math.max(priority, tonumber(p))
  weights[tenant] = math.max(weights[tenant] or 0, tonumber(weight))
end
local retried = next_retry[1] and load_flow(string.match(next_retry[1], '^[^:]*'))
if retried then
  priority = math.max(priority, retried.p)
end

local reply = {tonumber(counts[1] or 0),
  next_retry[2] and math.max(0, next_retry[2] - now_ms()) or -1, tonumber(counts[2] or 0),
  redis.call('ZCARD', retry), redis.call('HLEN', held), priority}
for tenant, weight in pairs(weights) do
  reply[#reply + 1] = tenant
  reply[#reply + 1] = string.format('%.17g', weight)
end
return reply
