-- Notes what jobs of a tenant take as they said themselves. A job that was deleted is left alone.
-- KEYS   1 ledger, 2 use of the tenant, 3 jobs of the tenant
-- ARGV   1 tenant, 2 how long what was let in may wait to be appended (ms), then for each job: job,
--        prompts appended, of these with their outcome, bytes in Redis, bytes of results
-- Reply  {prompts, bytes, results that are used now}
--@include drain
--@include ledger

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 3, #ARGV, 5 do
  local was = entry_of(ARGV[i])
  if was or redis.call('ZSCORE', KEYS[3], ARGV[i]) then
    local old = was or {a = 0, d = 0, b = 0, r = 0, h = 0, g = 0, u = 0}
    local new = {t = ARGV[1], a = math.max(old.a, tonumber(ARGV[i + 1])),
      d = math.max(old.d, tonumber(ARGV[i + 2])), b = math.max(old.b, tonumber(ARGV[i + 3])),
      r = math.max(old.r, tonumber(ARGV[i + 4])), h = old.h, g = old.g, u = old.u}
    if new.a >= new.h or now - new.u > tonumber(ARGV[2]) then
      new.h, new.g, new.u = 0, 0, 0
    end
    local same = was and true
    for field, value in pairs(new) do
      same = same and old[field] == value
    end
    if not same then
      enter(ARGV[i], was or nil, new)
    end
  end
end
return {used()}
