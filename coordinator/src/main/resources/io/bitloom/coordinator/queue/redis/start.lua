-- Gives prompts of this job to a lease: the second half of leasing, after lease.lua took them from
-- their bucket. What has its outcome already or is of a cancelled job is not given; the bucket is
-- to forget it (settle.lua). Of a paused job nothing is given; the bucket is to take it back
-- (reschedule.lua, release.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 tasks
-- Reply  {0, tasks that were given, group, its payloads, and so on for every group of these};
--        {1, ''} if the job is terminal; {2, '', revision, priority} if it is paused
--@include drain
--@include tasks
--@include job
--@include outcomes

local was = redis.call('HMGET', job, 'state', 'started', 'running', 'ending', 'revision', 'priority')
local state = was[1]
if terminal(state) == 1 then
  return {1, ''}
end
if state == 'PAUSED' then
  return {2, '', was[5], was[6]}
end

local given, n = without_outcome(ARGV[3], TASK)
if n == 0 then
  return {0, ''}
end
local now = now_ms()
if state == 'CANCELLING' then
  local untried = string.gsub(given, '(.........)(.)', function(entry, attempt)
    return entry .. string.char(string.byte(attempt) - 1)
  end)
  local ended = record_all(untried, was[4], 0, now)
  redis.call('PUBLISH', ARGV[1], '')
  return {ended, ''}
end

redis.call('HSET', running, ARGV[2], given)
if was[2] then
  redis.call('HSET', job, 'running', was[3] + n)
else
  redis.call('HSET', job, 'running', was[3] + n, 'started', now,
    'state', state == 'QUEUED' and 'RUNNING' or state)
end
redis.call('PUBLISH', ARGV[1], '')

local groups, last = {'HMGET', prompts}, nil
for _, group in ipairs((groups_of(given, TASK))) do
  if group ~= last then
    last = group
    groups[#groups + 1] = group
  end
end
local reply = {0, given}
for k, payloads in ipairs(redis.call(unpack(groups))) do
  reply[#reply + 1] = groups[k + 2]
  reply[#reply + 1] = payloads
end
return reply
