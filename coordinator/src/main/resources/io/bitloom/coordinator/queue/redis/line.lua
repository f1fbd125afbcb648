-- Reads which jobs stand in line in a bucket.
-- KEYS   of the bucket
-- ARGV   none
-- Reply  {1 if workers hold prompts of the bucket, else 0, then for each job with prompts that are
--        ready: job, tenant, priority, rank, prompts, images, virtual time of the tenant}
--@include tasks
--@include bucket

local reply, times = {redis.call('EXISTS', held)}, {}
for _, member in ipairs(redis.call('ZRANGE', ready, 0, -1)) do
  local id = string.match(member, '%z([^%z]*)$')
  local flow = load_flow(id)
  times[flow.t] = times[flow.t] or redis.call('ZSCORE', tenants, flow.t) or '0'
  for _, value in ipairs({id, flow.t, flow.p, string.format('%.0f', flow.r), flow.n, flow.i,
    times[flow.t]}) do
    reply[#reply + 1] = value
  end
end
return reply
