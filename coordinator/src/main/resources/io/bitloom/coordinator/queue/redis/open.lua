-- Says how a job stands to whoever makes another part of it, and then counts that part: from then on
-- whatever happens to the job happens to that part, too. So the part is made before it is counted.
-- KEYS   of the job
-- ARGV   1 number of the job's parts, 2 how many parts there are with this one, or 0 to count none
-- Reply  {'open', tenant, weight, priority, revision, 1 if paused, deadline (ms), or empty, 1 if nobody
--        keeps it after its end, 1 if somebody is to be told what becomes of it, else 0};
--        {'parts', number} if it has another number of parts: nothing changed;
--        {'state', state or false if there is no such job}: it accepts no prompts, nothing changed
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'state', 'tenant', 'weight', 'priority', 'revision', 'expires',
  'fleeting', 'sealed', 'parts', 'opened', 'hook')
local paused = was[1] == 'PAUSED'
if was[1] ~= 'ACCEPTING' and not paused or was[8] then
  return {'state', was[1]}
end
if ARGV[1] ~= (was[9] or '1') then
  return {'parts', tonumber(was[9] or 1)}
end
redis.call('HSET', job, 'opened', math.max(was[10] or 1, ARGV[2]))
return {'open', was[2], was[3], was[4], was[5], paused and 1 or 0, was[6] or '', was[7],
  was[11] or '0'}
