-- Gives prompts of this job to a lease: the second half of leasing, after lease.lua took them from
-- their bucket. What has its outcome already or is of a cancelled job is not given; the bucket is
-- to forget it (settle.lua). Of a paused job nothing is given; the bucket is to take it back
-- (reschedule.lua, release.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 tasks, 4 number k of arguments by which BITFIELD reads the
--        bits of all these prompts, then these arguments, then their groups
-- Reply  {0, tasks that were given, if any for each group: its payloads};
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

local before_groups = 4 + ARGV[4]
local given, n = ARGV[3], #ARGV[3] / TASK
if bits_by(ARGV, 5, before_groups) then
  given, n = without_outcome(given, TASK)
  if n == 0 then
    return {0, ''}
  end
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

return {0, given, unpack(redis.call('HMGET', prompts, unpack(ARGV, before_groups + 1)))}
