-- Drops a bucket in which nothing is, and in which nothing was leased for long.
-- KEYS   of the bucket
-- ARGV   1 for how long (ms)
-- Reply  {1 if it is gone, else 0}
--@include drain
--@include tasks
--@include bucket

if redis.call('EXISTS', flows, retry, leases, held) > 0 then
  return {0}
end
local now = now_ms()
local since = redis.call('HGET', meta, 'since')
if not since and redis.call('EXISTS', meta) == 1 then
  redis.call('HSET', meta, 'since', now) -- an older coordinator used it last, some time ago
  since = now
end
if now - (since or 0) < tonumber(ARGV[1]) then
  return {0}
end
redis.call('UNLINK', flows, runs, ready, tenants, retry, leases, held, meta, lines)
return {1}
