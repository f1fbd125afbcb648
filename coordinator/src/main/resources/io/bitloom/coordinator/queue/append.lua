-- Appends prompts, all or none. Their buckets are told afterwards (enqueue.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 offset of the first prompt, 3 number of prompts, 4 number k of
--        buckets, then k times: bucket, offset of its last prompt here; then for each group: number
--        of its bucket among the k, offset of its first prompt, entries, payloads
-- Reply  {'appended', tenant, weight, priority, and for each of the k: offset of its last prompt
--        before, or -1};
--        {'at', count of the job} if that is not the offset: nothing changed;
--        {'state', state or false if there is no such job}: nothing changed
--@include job

local was = redis.call('HMGET', job, 'state', 'appended', 'tenant', 'weight', 'priority')
if was[1] ~= 'ACCEPTING' then
  return {'state', was[1]}
end
local offset, n = tonumber(ARGV[2]), tonumber(ARGV[3])
if tonumber(was[2]) ~= offset then
  return {'at', tonumber(was[2])}
end

local reply = {'appended', was[3], was[4], was[5]}
local index_of = {}
local next_arg = 5
for k = 1, tonumber(ARGV[4]) do
  local bucket, last = ARGV[next_arg], ARGV[next_arg + 1]
  next_arg = next_arg + 2
  local index, before = string.match(redis.call('HGET', buckets, bucket) or '', '^(%d+) (%d+)$')
  index_of[k] = index or redis.call('HLEN', buckets)
  reply[#reply + 1] = tonumber(before or -1)
  redis.call('HSET', buckets, bucket, index_of[k] .. ' ' .. last)
end
while next_arg <= #ARGV do
  redis.call('XADD', prompts, ARGV[next_arg + 1] + 1, 'b', index_of[tonumber(ARGV[next_arg])],
    'e', ARGV[next_arg + 2], 'p', ARGV[next_arg + 3])
  next_arg = next_arg + 4
end
redis.call('HSET', job, 'appended', offset + n)
redis.call('PUBLISH', ARGV[1], '')
return reply
