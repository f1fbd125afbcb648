-- Gives a claim on a job back, unless it is over. If more has become of the job since it was made, the
-- job is looked at once more at once.
-- KEYS   1 hooks, 2 claims, see fragments/hooks.lua
-- ARGV   1 job, 2 claim, 3 after which time to look at it again (ms); empty: never, 4 further ms for
--        each job that is there
-- Reply  {1 if the job is due at once, else 0}
--@include drain
--@include hooks

local claim, woken = claim_of(1, ARGV[1])
if claim ~= ARGV[2] then
  return {0}
end
redis.call('HDEL', KEYS[2], ARGV[1])
if woken then
  look_at(1, ARGV[1], now_us())
elseif ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  local wait = ARGV[3] + ARGV[4] * redis.call('ZCARD', KEYS[1])
  look_at(1, ARGV[1], now_us() + wait * 1000)
end
return {woken and 1 or 0}
