-- Takes prompts of a lease back that were not started: they go next, and it was not an attempt.
-- Their jobs are told afterwards (requeue.lua).
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 lease, 4 ageing (ms), then for each job: job, offsets
-- Reply  {for each job: tasks that were taken back}; the others are not of this lease
--@include drain
--@include tasks
--@include bucket
--@include wake
--@include leases
--@include give_back

local now = now_ms()
local ageing = tonumber(ARGV[4])
local lease = load_lease(ARGV[3]) or {t = {}}
local reply, news = {}, false
for i = 5, #ARGV, 2 do
  local tasks = take_from_lease(lease, ARGV[i], ARGV[i + 1])
  news = give_back(ARGV[i], tasks, ageing, now) or news
  reply[#reply + 1] = tasks
end
save_lease(ARGV[3], lease)
if news then
  wake(ARGV[1], ARGV[2], 0)
end
return reply
