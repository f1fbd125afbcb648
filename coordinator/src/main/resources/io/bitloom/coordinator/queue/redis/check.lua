-- Reads what a bucket knows of a job, to find what a crash left half-done.
-- KEYS   of the bucket
-- ARGV   1 job, then leases
-- Reply  {offset of the job's last prompt that was enqueued, or -1, revision of the job that it is
--        served by, or -1, for each lease: 1 if it exists, else 0}
--@include tasks
--@include bucket

local flow = load_flow(ARGV[1])
local reply = {flow and flow.m or -1, flow and (flow.v or 0) or -1}
for i = 2, #ARGV do
  reply[i + 1] = redis.call('HEXISTS', held, ARGV[i])
end
return reply
