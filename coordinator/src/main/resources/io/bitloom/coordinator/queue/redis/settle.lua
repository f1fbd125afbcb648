-- Lets a lease forget prompts that have their outcome or that their job did not give to it.
-- KEYS   of the bucket
-- ARGV   1 lease, then for each job: job, offsets
-- Reply  {1 if the lease still holds prompts, else 0}
--@include drain
--@include tasks
--@include bucket
--@include leases

local lease = load_lease(ARGV[1])
if not lease then
  return {0}
end
for i = 2, #ARGV, 2 do
  take_from_lease(lease, ARGV[i], ARGV[i + 1])
end
save_lease(ARGV[1], lease)
return {next(lease.t) and 1 or 0}
