-- Reads which jobs stand in line in a bucket.
-- KEYS   of the bucket
-- ARGV   none
-- Reply  {for each job with prompts that are ready: job, tenant, priority, rank, prompts, images,
--        virtual time of the tenant}
--@include tasks
--@include bucket

local reply = {}
local list = redis.call('HGETALL', flows)
for k = 1, #list, 2 do
  local flow = cmsgpack.unpack(list[k + 1])
  if flow.n > 0 and not flow.z then
    local time = redis.call('ZSCORE', tenants, flow.t) or '0'
    for _, value in ipairs({list[k], flow.t, flow.p, string.format('%.0f', flow.r), flow.n, flow.i,
      time}) do
      reply[#reply + 1] = value
    end
  end
end
return reply
