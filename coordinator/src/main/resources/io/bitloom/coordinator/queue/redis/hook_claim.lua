-- Takes jobs of which somebody may have to be told something, for a time in which nobody else does.
-- A claim is called by when it ends: no two of a job end at the same time, since each is made after the
-- one before has ended or was given back.
-- KEYS   1 hooks, 2 claims, see fragments/hooks.lua; 3 all jobs
-- ARGV   1 how long the claim lasts (ms), 2 most jobs
-- Reply  {now (ms), ms until the next one is due, or -1, then for each job: job, claim, 1 if the job is
--        on the list of all, else 0}
--@include drain
--@include hooks

local now = now_us()
local jobs = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now),
  'LIMIT', 0, ARGV[2])
local claim = string.format('%.0f', now + ARGV[1] * 1000)
local claimed = {}
for _, id in ipairs(jobs) do
  redis.call('ZADD', KEYS[1], claim, id)
  redis.call('HSET', KEYS[2], id, claim)
  claimed[#claimed + 1] = id
  claimed[#claimed + 1] = claim
  claimed[#claimed + 1] = redis.call('ZSCORE', KEYS[3], id) and 1 or 0
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local wait = first[2] and math.max(0, math.ceil((first[2] - now) / 1000)) or -1
return {math.floor(now / 1000), wait, unpack(claimed)}
