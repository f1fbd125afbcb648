-- Ends leases whose time is over, or one whose worker is lost: it was an attempt, and the prompts
-- wait for the next one. Their jobs are told afterwards (requeue.lua). A prompt that has no attempt
-- left stays in the lease, which is nobody's then, until its job has given it up (lose.lua,
-- settle.lua); if nobody sees to that, it is in a later reply again.
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 lease to end, or empty: those whose time is over,
--        4 most attempts, 5 backoff (ms), 6 longest backoff (ms), 7 random seed, 8 most leases,
--        9 patience with whoever handles the reply (ms)
-- Reply  {ms until the next lease expires or -1, prompts that wait, then for each lease and job:
--        lease, job, tasks that wait for their next attempt, tasks that have none left}
--@include drain
--@include tasks
--@include bucket
--@include wake
--@include leases
--@include attempts

math.randomseed(ARGV[7])
local now = now_ms()
local names = {ARGV[3]}
if ARGV[3] == '' then
  names = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, ARGV[8])
end

local reply, soonest = {-1, 0}, math.huge
for _, name in ipairs(names) do
  local left = {}
  for id, tasks in pairs((load_lease(name) or {t = {}}).t) do
    local some, none = attempts_left(tasks, tonumber(ARGV[4]))
    left[id] = none ~= '' and none or nil
    soonest = math.min(soonest,
      attempt_again(id, some, tonumber(ARGV[5]), tonumber(ARGV[6]), now))
    for _, value in ipairs({name, id, some, none}) do
      reply[#reply + 1] = value
    end
  end
  save_lease(name, {w = false, t = left})
  redis.call('ZADD', leases, 'XX', now + ARGV[9], name)
end
if soonest < math.huge then
  wake(ARGV[1], ARGV[2], soonest)
end

local next_expiry = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]
reply[1] = next_expiry and math.max(0, next_expiry - now) or -1
reply[2] = (redis.call('HGET', meta, 'prompts') or 0) + redis.call('ZCARD', retry)
return reply
