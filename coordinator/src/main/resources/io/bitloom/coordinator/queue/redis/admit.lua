-- Lets a tenant append prompts to a job if what all its open jobs then have to do stays within its
-- limit. Prompts are reserved by this before they are appended, so that callers at several
-- coordinators cannot go over the limit together.
-- KEYS   1 reserved: hash job -> prompts that it may have; 2 open jobs of the tenant: set
-- ARGV   1 most prompts without an outcome, 2 job, 3 prompts that it has before, 4 prompts to be
--        appended, 5 how long reservations are kept without a call (ms); then for each job that the
--        caller looked at: job, prompts that it has, those with an outcome
-- Reply  {1 if the prompts may be appended, else 0: nothing changed}

local jobs, decided = {}, {}
local packed = redis.call('HGETALL', KEYS[1])
for i = 1, #packed, 2 do
  jobs[packed[i]] = tonumber(packed[i + 1])
end
for i = 6, #ARGV, 3 do
  jobs[ARGV[i]] = math.max(jobs[ARGV[i]] or 0, tonumber(ARGV[i + 1]))
  decided[ARGV[i]] = tonumber(ARGV[i + 2])
end

local waiting = 0
for job, prompts in pairs(jobs) do
  if redis.call('SISMEMBER', KEYS[2], job) == 1 then
    waiting = waiting + prompts - (decided[job] or 0)
  else
    redis.call('HDEL', KEYS[1], job)
  end
end

-- What is repeated is reserved once. What is far behind the others cannot be appended, so that the
-- gap is not reserved.
local has, count = jobs[ARGV[2]] or 0, tonumber(ARGV[4])
local more = math.max(0, math.min(count, ARGV[3] + count - has))
if waiting + more > tonumber(ARGV[1]) then
  return {0}
end
redis.call('HSET', KEYS[1], ARGV[2], has + more)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {1}
