-- Reads what waits in a bucket and what workers hold of it, for somebody who wants to see that: it
-- looks into every lease.
-- KEYS   of the bucket
-- ARGV   none
-- Reply  {fresh prompts, images of them, retries, prompts held, leases, ms for which prompts have been
--        waiting and none was leased}
--@include tasks
--@include bucket

local counts = redis.call('HMGET', meta, 'prompts', 'images', 'since')
local held_prompts = 0
for _, packed in ipairs(redis.call('HVALS', held)) do
  for _, tasks in pairs(cmsgpack.unpack(packed).t) do
    held_prompts = held_prompts + #tasks / TASK
  end
end
local prompts, now = tonumber(counts[1] or 0), now_ms()
return {prompts, tonumber(counts[2] or 0), redis.call('ZCARD', retry), held_prompts,
  redis.call('HLEN', held), prompts > 0 and now - (counts[3] or now) or 0}
