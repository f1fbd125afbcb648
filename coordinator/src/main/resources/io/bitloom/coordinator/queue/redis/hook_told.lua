-- Notes that an event of a job was delivered; the next one begins anew.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 letter of the event
-- Reply  {1 if this is news, else 0}
--@include drain
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'tenant', 'hook:told')
local told = was[2] or ''
if not was[1] or string.find(told, ARGV[2], 1, true) then
  return {0}
end
redis.call('HSET', job, 'hook:told', told .. ARGV[2])
redis.call('HDEL', job, 'hook:tries', 'hook:next', 'hook:error', 'hook:dead', 'hook:gone')
tell(ARGV[1])
return {1}
