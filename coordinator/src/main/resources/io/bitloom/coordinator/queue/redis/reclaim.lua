-- Ends the leases of requests whose reply was lost: no worker has them. Their prompts go next, and it
-- was not an attempt. Their jobs are told afterwards (requeue.lua).
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 ageing (ms), then the secrets of requests
-- Reply  {for each lease and job: lease, job, tasks that were taken back}
--@include drain
--@include tasks
--@include bucket
--@include wake
--@include leases
--@include give_back

local now = now_ms()
local lost = {}
for i = 4, #ARGV do
  lost[ARGV[i]] = true
end

local reply, news = {}, false
local all = redis.call('HGETALL', held)
for k = 1, #all, 2 do
  local name, lease = all[k], cmsgpack.unpack(all[k + 1])
  if lost[string.match(name, '%.(.*)')] and lease.w then
    for id, tasks in pairs(lease.t) do
      news = give_back(id, tasks, tonumber(ARGV[3]), now) or news
      for _, value in ipairs({name, id, tasks}) do
        reply[#reply + 1] = value
      end
    end
    save_lease(name, {t = {}})
  end
end
if news then
  wake(ARGV[1], ARGV[2], 0)
end
return reply
