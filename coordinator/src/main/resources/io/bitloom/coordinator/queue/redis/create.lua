-- Creates a job that accepts prompts, or a part of one.
-- KEYS   of the job
-- ARGV   1 tenant, 2 weight, 3 priority, 4 spec, 5 deadline (ms), or empty, 6 bytes that it takes,
--        7 1 if nobody keeps it after its end, else 0, 8 how many outcomes are in a list of them, 0:
--        all, as in data version 1, 9 what else a coordinator of version 1 finds as its time,
--        10 number of its parts, 11 1 if somebody is to be told what becomes of it, else 0
-- Reply  {'created'}, {'exists'} if it was created by the same spec before, else {'differs'}
--@include tasks
--@include job

local was = redis.call('HMGET', job, 'tenant', 'spec')
if was[1] then
  return {was[1] == ARGV[1] and was[2] == ARGV[4] and 'exists' or 'differs'}
end
local now, paged = now_ms(), ARGV[8] ~= '0'
redis.call('HSET', job, 'tenant', ARGV[1], 'weight', ARGV[2], 'priority', ARGV[3], 'spec', ARGV[4],
  'state', 'ACCEPTING', 'created', paged and ARGV[9] or now, 'revision', 0,
  'appended', 0, 'running', 0, 'succeeded', 0, 'failed', 0, 'cancelled', 0, 'retried', 0,
  'images', 0, 'drawn', 0, 'bytes', ARGV[6], 'results', 0, 'fleeting', ARGV[7])
if paged then
  redis.call('HSET', job, 'page', ARGV[8], 'born', now)
end
if ARGV[10] ~= '1' then
  redis.call('HSET', job, 'parts', ARGV[10], 'opened', 1)
end
if ARGV[11] == '1' then
  redis.call('HSET', job, 'hook', 1)
end
if ARGV[5] ~= '' then
  redis.call('HSET', job, 'expires', ARGV[5])
end
return {'created'}
