-- Gives up prompts of an expired lease that have no attempt left, whether or not their job ever
-- gave them to that lease (turn.lua). The lease lets go of them afterwards (settle.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 tasks
-- Reply  {1 if the job is terminal now, else 0}
--@include drain
--@include tasks
--@include job
--@include outcomes

local offsets = string.gsub(ARGV[3], '....(....)..', '%1')
local _, held, n = take_from_holder(ARGV[2], offsets)
local lost = without_outcome(ARGV[3], TASK)
if #lost == 0 and not held or redis.call('EXISTS', job) == 0 then
  return {0}
end
local ended = record_all(lost, 'L', n, now_ms())
tell(ARGV[1])
return {ended}
