-- Ends leases of which every prompt has its outcome.
-- KEYS   of the bucket
-- ARGV   the leases
-- Reply  {}
--@include drain
--@include tasks
--@include bucket
--@include over

end_leases(ARGV)
return {}
