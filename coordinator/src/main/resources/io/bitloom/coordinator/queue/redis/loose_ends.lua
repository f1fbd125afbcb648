-- Reads what a crash may have left half-done in a job, and counts its running prompts anew.
-- KEYS   of the job
-- ARGV   none
-- Reply  {state or false if there is no such job, tenant, revision, priority, {bucket, offset of its
--        last prompt, ...}, {holder, tasks, ...}, prompts of the job, of these with their
--        outcome, bytes that it takes, bytes of its results, 1 if nobody keeps it after its end,
--        number of its parts, how many of these there are, 1 if it is sealed, ms from its creation to
--        its end, -1 if it has none}
--@include drain
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'state', 'tenant', 'revision', 'priority', 'appended',
  'succeeded', 'failed', 'cancelled', 'bytes', 'results', 'fleeting', 'running',
  'parts', 'opened', 'sealed', 'born', 'ended')
local counted = count_running()
if was[12] and tonumber(was[12]) ~= counted then
  redis.call('HSET', job, 'running', counted)
end
return {was[1], was[2], was[3], was[4], redis.call('HGETALL', buckets),
  redis.call('HGETALL', running),
  tonumber(was[5] or 0), (was[6] or 0) + (was[7] or 0) + (was[8] or 0), tonumber(was[9] or 0),
  tonumber(was[10] or 0), tonumber(was[11] or 0), tonumber(was[13] or 1), tonumber(was[14] or 1),
  was[15] and 1 or 0, was[16] and was[17] and math.max(0, was[17] - was[16]) or -1}
