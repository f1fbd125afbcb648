-- Takes failed attempts of prompts of a lease: they wait for their next attempt. Their jobs are
-- told afterwards (requeue.lua). A prompt that has no attempt left stays in the lease until its job
-- has its outcome (commit.lua, settle.lua).
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 token of the lease, 4 most attempts, 5 backoff (ms), 6 longest
--        backoff (ms), 7 random seed, then '<job>:<offset>' for each prompt
-- Reply  for each prompt: 1 waits for its next attempt, 2 has none left, 0 not of this lease
--@include bucket
--@include wake
--@include leases
--@include attempts

math.randomseed(ARGV[7])
local now = now_ms()
local lease = load_lease(ARGV[3]) or {t = {}}
local reply, soonest = {}, math.huge
for i = 8, #ARGV do
  local task = ARGV[i]
  local held_task = lease.t[task]
  if not held_task then
    reply[#reply + 1] = 0
  elseif held_task[3] >= tonumber(ARGV[4]) then
    reply[#reply + 1] = 2
  else
    reply[#reply + 1] = 1
    soonest = math.min(soonest,
      attempt_again(task, held_task, tonumber(ARGV[5]), tonumber(ARGV[6]), now))
    lease.t[task] = nil
  end
end
if soonest < math.huge then
  save_lease(ARGV[3], lease)
  wake(ARGV[1], ARGV[2], soonest)
end
return reply
