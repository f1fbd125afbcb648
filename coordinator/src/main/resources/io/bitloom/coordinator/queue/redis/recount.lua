-- Counts anew what waits in a bucket, after coordinators that did not keep all counts were at work.
-- KEYS   of the bucket
-- ARGV   none
-- Reply  {1 if a count was wrong, else 0}
--@include drain
--@include tasks
--@include bucket
--@include lines

local kept = kept_lines()
local counted, prompts, images, since = counted_lines()
local was = redis.call('HMGET', meta, 'prompts', 'images')
local wrong = tonumber(was[1] or 0) ~= prompts or tonumber(was[2] or 0) ~= images
for line, n in pairs(counted) do
  wrong = wrong or kept[line] ~= n
  kept[line] = nil
end
if not wrong and not next(kept) then
  return {0}
end

redis.call('DEL', lines)
for line, n in pairs(counted) do
  redis.call('HSET', lines, line, n)
end
redis.call('HSET', meta, 'prompts', prompts, 'images', images, 'since', since or now_ms())
return {1}
