-- Forgets what waits of a job that ended, some runs at a time.
-- KEYS   of the bucket
-- ARGV   1 job, 2 most runs
-- Reply  {1 if there is more, else 0}
--@include drain
--@include tasks
--@include bucket

local flow = load_flow(ARGV[1])
if not flow then
  return {0}
end
if flow.n > 0 and not flow.z then
  leave(ARGV[1], flow, now_ms())
end
flow.n, flow.i = 0, 0
local dropped = {'HDEL', runs, flow.f .. ':p'}
while flow.h <= flow.l and #dropped < tonumber(ARGV[2]) + 3 do
  dropped[#dropped + 1] = flow.f .. ':' .. flow.h
  flow.h = flow.h + 1
end
redis.call(unpack(dropped))
if flow.h <= flow.l then
  save_flow(ARGV[1], flow)
  return {1}
end
redis.call('HDEL', flows, ARGV[1])
return {0}
