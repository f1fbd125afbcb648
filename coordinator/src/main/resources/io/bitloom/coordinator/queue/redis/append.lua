-- Appends prompts, all or none. Their buckets are told afterwards (enqueue.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 offset of the first prompt, 3 number of prompts, 4 number k of
--        buckets, 5 number m of appends, 6 images of the prompts, 7 bytes that they take, 8 most bytes
--        that the job may take, 9 number of the job's parts, 0: this is not its first; then k times:
--        bucket, offset of its last prompt here; then m times, by their first offsets: bucket, offset
--        of the first prompt, entries; then for each group: group, payloads
-- Reply  {'appended', tenant, weight, priority, revision, 1 if paused, bytes that the job takes now,
--        and for each of the k: offset of its last prompt before, or -1};
--        {'full', bytes that it takes}: nothing changed;
--        {'at', count of the job} if that is not the offset: nothing changed;
--        {'parts', number} if it has another number of parts: nothing changed;
--        {'state', state or false if there is no such job}: nothing changed
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'state', 'appended', 'tenant', 'weight', 'priority', 'revision',
  'sealed', 'bytes', 'parts')
local paused = was[1] == 'PAUSED'
if was[1] ~= 'ACCEPTING' and not paused or was[7] then
  return {'state', was[1]}
end
if ARGV[9] ~= '0' and ARGV[9] ~= (was[9] or '1') then
  return {'parts', tonumber(was[9] or 1)}
end
if was[2] ~= ARGV[2] then
  return {'at', tonumber(was[2])}
end

local bytes = tonumber(was[8] or 0)
if bytes + ARGV[7] > tonumber(ARGV[8]) then
  return {'full', bytes}
end

local reply = {'appended', was[3], was[4], was[5], was[6], paused and 1 or 0, bytes + ARGV[7]}
local buckets_end = 9 + 2 * ARGV[4]
local appends_end = buckets_end + 3 * ARGV[5]
local before = {'HMGET', buckets}
for i = 10, buckets_end, 2 do
  before[#before + 1] = ARGV[i]
end
if #before > 2 then
  for k, offset in ipairs(redis.call(unpack(before))) do
    reply[7 + k] = tonumber(offset or -1)
  end
  redis.call('HSET', buckets, unpack(ARGV, 10, buckets_end))
end
for i = buckets_end + 1, appends_end, 3 do
  redis.call('XADD', appends, ARGV[i + 1] + 1, 'b', ARGV[i], 'e', ARGV[i + 2])
end
for from = appends_end + 1, #ARGV, 1000 do
  redis.call('HSET', prompts, unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
redis.call('HSET', job, 'appended', ARGV[2] + ARGV[3], 'bytes', string.format('%.0f', bytes + ARGV[7]))
redis.call('HINCRBY', job, 'images', ARGV[6])
tell(ARGV[1])
return reply
