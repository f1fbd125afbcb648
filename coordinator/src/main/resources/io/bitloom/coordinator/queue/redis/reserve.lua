-- Lets a tenant append prompts to an open job, if what all its jobs then take stays within its limits. They
-- count from now on, before they are appended, so that callers at several coordinators cannot go
-- over a limit together.
-- KEYS   1 ledger, 2 use of the tenant, 3 open jobs of the tenant
-- ARGV   1 job, 2 prompts that it has before, 3 prompts to be appended, 4 bytes of these, then limits
--        of the tenant: 5 prompts without outcome, 6 bytes in Redis, 7 bytes of results
-- Reply  {1, prompts, bytes, results that are used now}; {0, name of the limit that would be passed,
--        what is used of it}: nothing changed
--@include ledger

local was = entry_of(ARGV[1])
local more, bytes = 0, 0
if was and redis.call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then
  -- What is repeated counts once. What is far behind the others cannot be appended: no gap counts.
  local has, count = math.max(was.a, was.h), tonumber(ARGV[3])
  more = math.max(0, math.min(count, ARGV[2] + count - has))
  bytes = more > 0 and tonumber(ARGV[4]) or 0
end
local limit, used_up = exceeded(more, bytes,
  {prompts = tonumber(ARGV[5]), bytes = tonumber(ARGV[6]), results = tonumber(ARGV[7])})
if limit then
  return {0, limit, used_up}
end
if more > 0 then
  local t = redis.call('TIME')
  local now = {t = was.t, a = was.a, d = was.d, b = was.b, r = was.r,
    h = math.max(was.a, was.h) + more, g = math.max(was.b, was.g) + bytes,
    u = t[1] * 1000 + math.floor(t[2] / 1000)}
  enter(ARGV[1], was, now)
end
return {1, used()}
