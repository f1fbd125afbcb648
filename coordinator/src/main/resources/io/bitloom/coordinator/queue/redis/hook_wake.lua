-- Has a job looked at, because somebody may have to be told something.
-- KEYS   1 hooks, 2 claims, see fragments/hooks.lua
-- ARGV   1 job, 2 after which time (ms), 3 1 to add it, 0 if only one that is there is meant
-- Reply  {1 if the job is there now, else 0}
--@include drain
--@include hooks

if ARGV[3] == '0' and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return {0}
end
wake(1, ARGV[1], now_us() + ARGV[2] * 1000)
return {1}
