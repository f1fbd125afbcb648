-- Ends leases whose time is over, or one whose worker is lost: it was an attempt, and the prompts
-- wait for the next one. Their jobs are told afterwards (requeue.lua). A prompt that has no attempt
-- left stays in the lease, which is nobody's then, until its job has its outcome (commit.lua,
-- settle.lua); if nobody sees to that, it is in a later reply again.
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 token of the lease to end, or empty: those whose time is over,
--        4 most attempts, 5 backoff (ms), 6 longest backoff (ms), 7 random seed, 8 most leases,
--        9 patience with whoever handles the reply (ms)
-- Reply  {ms until the next lease expires or -1, fresh prompts, retries, then for each prompt:
--        token, job, offset, 1 waits for its next attempt or 2 has none left, attempt, group}
--@include bucket
--@include wake
--@include leases
--@include attempts

math.randomseed(ARGV[7])
local now = now_ms()
local tokens = {ARGV[3]}
if ARGV[3] == '' then
  tokens = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, ARGV[8])
end

local reply, soonest = {-1, 0, 0}, math.huge
for _, token in ipairs(tokens) do
  local lease = load_lease(token) or {t = {}}
  local left = {}
  for task, held_task in pairs(lease.t) do
    local verdict = 1
    if held_task[3] >= tonumber(ARGV[4]) then
      verdict = 2
      left[task] = held_task
    else
      soonest = math.min(soonest,
        attempt_again(task, held_task, tonumber(ARGV[5]), tonumber(ARGV[6]), now))
    end
    local id, offset = string.match(task, '^(.*):(%d+)$')
    for _, value in ipairs({token, id, offset, verdict, held_task[3], held_task[1]}) do
      reply[#reply + 1] = value
    end
  end
  save_lease(token, {w = false, t = left})
  redis.call('ZADD', leases, 'XX', now + ARGV[9], token)
end
if soonest < math.huge then
  wake(ARGV[1], ARGV[2], soonest)
end

local next_expiry = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]
reply[1] = next_expiry and math.max(0, next_expiry - now) or -1
reply[2] = tonumber(redis.call('HGET', meta, 'prompts') or 0)
reply[3] = redis.call('ZCARD', retry)
return reply
