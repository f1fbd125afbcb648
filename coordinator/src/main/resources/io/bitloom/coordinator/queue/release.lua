-- Takes prompts of a lease back that were not started: they go next, and it was not an attempt.
-- Their jobs are told afterwards (requeue.lua).
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 token of the lease, 4 ageing (ms), then for each job: job, offsets
-- Reply  {for each job: tasks that were taken back}; the others are not of this lease
--@include tasks
--@include bucket
--@include wake
--@include leases

local now = now_ms()
local ageing = tonumber(ARGV[4])

-- Puts entries of a flow before all that wait.
local function put_first(id, flow, entries)
  table.sort(entries, function(a, b) return offset_of(a) < offset_of(b) end)
  local images = 0
  for _, entry in ipairs(entries) do
    images = images + string.byte(entry, ENTRY)
  end
  local news = add_entries(id, flow, #entries, images, ageing, now)
  flow.h = flow.h - 1
  redis.call('HSET', runs, flow.f .. ':' .. flow.h, table.concat(entries))
  save_flow(id, flow)
  return news
end

local lease = load_lease(ARGV[3]) or {t = {}}
local reply, news = {}, false
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  local tasks = take_from_lease(lease, id, ARGV[i + 1])
  local entries = {}
  for at = 1, #tasks, TASK do
    local task = string.sub(tasks, at, at + TASK - 1)
    if attempt_of(task) > 1 then
      redis.call('ZADD', retry, now, id .. ':' .. task)
      news = true
    else
      entries[#entries + 1] = string.sub(task, 1, ENTRY)
    end
  end
  local flow = #entries > 0 and load_flow(id)
  if flow then -- else the job ended meanwhile and wants nothing drawn
    news = put_first(id, flow, entries) or news
  end
  reply[#reply + 1] = tasks
end
save_lease(ARGV[3], lease)
if news then
  wake(ARGV[1], ARGV[2], 0)
end
return reply
