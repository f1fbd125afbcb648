-- Postpones the expiry of leases that a worker brings along, and says which prompts they hold.
-- KEYS   of the bucket
-- ARGV   1 worker, 2 duration (ms), then the leases
-- Reply  for each lease: number of its jobs, 0 if it is gone or not the worker's, then for each of
--        them: job, tasks
--@include drain
--@include tasks
--@include bucket
--@include leases

local expiry = now_ms() + ARGV[2]
local reply = {}
for i = 3, #ARGV do
  local lease = load_lease(ARGV[i])
  local count = #reply + 1
  reply[count] = 0
  if lease and lease.w == ARGV[1] then
    redis.call('ZADD', leases, 'XX', expiry, ARGV[i])
    for id, tasks in pairs(lease.t) do
      reply[count] = reply[count] + 1
      reply[#reply + 1] = id
      reply[#reply + 1] = tasks
    end
  end
end
return reply
