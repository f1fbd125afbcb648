-- Notes how far something is that one coordinator at a time does for a job. Who has a higher fencing
-- token has taken it over: whoever comes later with a lower one changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 what is done: input or output, 3 fencing token, 4 where whoever takes it
--        over goes on, or empty to leave that as it is, 5 what callers are told, or empty likewise, 6 1 to
--        have the job end as FAILED when it is stopped, else 0
-- Reply  {1, state, where to go on, or false, what callers are told, or false};
--        {0} if another has taken it over or there is no such job: nothing changed
--@include drain
--@include tasks
--@include job

local what = ARGV[2]
local was = redis.call('HMGET', job, 'state', what .. ':token', what .. ':place', 'now:' .. what)
if not was[1] or tonumber(was[2] or 0) > tonumber(ARGV[3]) then
  return {0}
end
local place = ARGV[4] ~= '' and ARGV[4] or was[3]
local told = ARGV[5] ~= '' and ARGV[5] or was[4]
redis.call('HSET', job, what .. ':token', ARGV[3])
if place then
  redis.call('HSET', job, what .. ':place', place)
end
if ARGV[6] == '1' and (was[1] == 'ACCEPTING' or was[1] == 'PAUSED') then
  redis.call('HSET', job, 'refused', 1)
end
if told and told ~= was[4] then
  redis.call('HSET', job, 'now:' .. what, told)
  tell(ARGV[1])
end
return {1, was[1], place, told}
