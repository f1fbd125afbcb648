-- Tells a bucket that a job was paused, resumed or given another priority (adjust.lua). What is of an
-- older revision than it knows changes nothing.
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 job, 4 revision of the job, 5 priority, 6 1 if it is paused, else 0,
--        7 ageing (ms)
-- Reply  {1 if the job has prompts here, else 0}
--@include drain
--@include tasks
--@include bucket
--@include wake

local flow = load_flow(ARGV[3])
if not flow then
  return {0}
end
local news = adjust(ARGV[3], flow, tonumber(ARGV[5]), ARGV[6] == '1', tonumber(ARGV[4]),
  tonumber(ARGV[7]), now_ms())
save_flow(ARGV[3], flow)
if news then
  wake(ARGV[1], ARGV[2], 0)
end
return {1}
