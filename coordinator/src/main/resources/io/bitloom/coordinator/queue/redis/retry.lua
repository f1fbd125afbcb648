-- Takes failed attempts of prompts of a lease: they wait for their next attempt. Their jobs are
-- told afterwards (requeue.lua). A prompt that has no attempt left stays in the lease until its job
-- has its outcome (turn.lua, settle.lua).
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 lease, 4 most attempts, 5 backoff (ms), 6 longest
--        backoff (ms), 7 random seed, then for each job: job, offsets
-- Reply  {for each job: tasks that wait for their next attempt, tasks that have none left}; the
--        others are not of this lease
--@include drain
--@include tasks
--@include bucket
--@include wake
--@include leases
--@include attempts

math.randomseed(ARGV[7])
local now = now_ms()
local lease = load_lease(ARGV[3]) or {t = {}}
local reply, soonest = {}, math.huge
for i = 8, #ARGV, 2 do
  local some, none = attempts_left(take_from_lease(lease, ARGV[i], ARGV[i + 1]), tonumber(ARGV[4]))
  if none ~= '' then
    lease.t[ARGV[i]] = (lease.t[ARGV[i]] or '') .. none
  end
  soonest = math.min(soonest,
    attempt_again(ARGV[i], some, tonumber(ARGV[5]), tonumber(ARGV[6]), now))
  reply[#reply + 1] = some
  reply[#reply + 1] = none
end
if soonest < math.huge then
  save_lease(ARGV[3], lease)
  wake(ARGV[1], ARGV[2], soonest)
end
return reply
