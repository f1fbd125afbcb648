-- Notes that an event of a job was not delivered, unless another attempt has had its end meanwhile.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 letter of the event, 3 failed attempts that are noted, 4 failed
--        attempts of this event with this one, 5 after which time to try again (ms); empty: not any
--        more, 6 why it failed, 7 letters of the events that are given up, 8 1 if the receiver wants no
--        more, else 0
-- Reply  {1 if it was noted, else 0}
--@include drain
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'tenant', 'hook:told', 'hook:tries')
if not was[1] or string.find(was[2] or '', ARGV[2], 1, true) or (was[3] or '0') ~= ARGV[3] then
  return {0}
end
redis.call('HSET', job, 'hook:tries', ARGV[4], 'hook:error', ARGV[6])
redis.call('HINCRBY', job, 'hook:failures', 1)
redis.call('HDEL', job, 'hook:next', 'hook:dead', 'hook:gone')
if ARGV[5] ~= '' then
  redis.call('HSET', job, 'hook:next', now_ms() + ARGV[5])
else
  redis.call('HSET', job, 'hook:dead', ARGV[7])
  if ARGV[8] == '1' then
    redis.call('HSET', job, 'hook:gone', 1)
  end
end
tell(ARGV[1])
return {1}
