-- Notes that a lease gave prompts back to their bucket: the second half of retry.lua, release.lua
-- and expire.lua. If the job was cancelled, they are cancelled now.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 token of the lease, 3 1 if it was an attempt, else 0,
--        then for each prompt: offset
-- Reply  {1 if the job is terminal now, else 0}
--@include job
--@include outcomes

local holders = {'HMGET', running}
for i = 4, #ARGV do
  holders[#holders + 1] = ARGV[i]
end
holders = redis.call(unpack(holders))

local cancelling = redis.call('HGET', job, 'state') == 'CANCELLING'
local cancelled, freed = {}, 0
for k = 1, #holders do
  local offset = ARGV[3 + k]
  local token, attempt, group = string.match(holders[k] or '', '^(%d+):(%d+):(%d+)')
  if token == ARGV[2] then
    freed = freed + redis.call('HDEL', running, offset)
    if cancelling then
      cancelled[#cancelled + 1] = {offset, 'C', attempt, group, ''}
    end
  end
end
if freed == 0 then
  return {0}
end
if ARGV[3] == '1' and not cancelling then
  redis.call('HINCRBY', job, 'retried', freed)
end
local finished = record(cancelled, now_ms())
redis.call('PUBLISH', ARGV[1], '')
return {finished}
