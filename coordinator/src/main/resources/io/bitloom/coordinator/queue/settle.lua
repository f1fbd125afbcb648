-- Lets a lease forget prompts that have their outcome or that their job did not give to it.
-- KEYS   of the bucket
-- ARGV   1 token of the lease, then '<job>:<offset>' for each prompt
-- Reply  {number of prompts that the lease still holds}
--@include bucket
--@include leases

local lease = load_lease(ARGV[1])
if not lease then
  return {0}
end
for i = 2, #ARGV do
  lease.t[ARGV[i]] = nil
end
save_lease(ARGV[1], lease)
local left = 0
for _ in pairs(lease.t) do
  left = left + 1
end
return {left}
