-- Takes prompts of a lease back that were not started: they go next, and it was not an attempt.
-- Their jobs are told afterwards (requeue.lua).
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 token of the lease, 4 ageing (ms), then '<job>:<offset>' for each
--        prompt
-- Reply  for each prompt: 1 taken back, 0 not of this lease
--@include bucket
--@include wake
--@include leases

local now = now_ms()
local ageing = tonumber(ARGV[4])
local lease = load_lease(ARGV[3]) or {t = {}}
local reply, fresh, retries = {}, {}, false
for i = 5, #ARGV do
  local task = ARGV[i]
  local held_task = lease.t[task]
  reply[#reply + 1] = held_task and 1 or 0
  if held_task then
    lease.t[task] = nil
    local id, offset = string.match(task, '^(.*):(%d+)$')
    if held_task[3] > 1 then
      retries = true
      redis.call('ZADD', retry, now,
        task .. ':' .. held_task[1] .. ':' .. held_task[2] .. ':' .. held_task[3])
    else
      fresh[id] = fresh[id] or {}
      table.insert(fresh[id], {held_task[1], tonumber(offset), held_task[2]})
    end
  end
end

local were_waiting = tonumber(redis.call('HGET', meta, 'prompts') or 0)
local waiting = were_waiting
for id, tasks in pairs(fresh) do
  local flow = load_flow(id)
  if flow then -- else the job ended meanwhile and wants nothing drawn
    table.sort(tasks, function(a, b) return a[2] < b[2] end)
    local entries, images = {}, 0
    for k, t in ipairs(tasks) do
      entries[k] = struct.pack('>I4I4B', t[1], t[2], t[3])
      images = images + t[3]
    end
    if flow.n == 0 then
      make_ready(id, flow, ageing, now)
    end
    flow.h, flow.n, flow.i = flow.h - 1, flow.n + #tasks, flow.i + images
    redis.call('HSET', runs, flow.f .. ':' .. flow.h, table.concat(entries))
    save_flow(id, flow)
    redis.call('HINCRBY', meta, 'images', images)
    waiting = redis.call('HINCRBY', meta, 'prompts', #tasks)
  end
end
save_lease(ARGV[3], lease)
if retries or were_waiting == 0 and waiting > 0 then
  wake(ARGV[1], ARGV[2], 0)
end
return reply
