-- Gives prompts of this job to a lease: the second half of leasing, after lease.lua took them from
-- their bucket. What has an outcome already, belongs to a later lease, or is of a cancelled job is
-- not given; the bucket is to forget it (settle.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 token of the lease, 3 bucket, then for each prompt: offset,
--        attempt, group
-- Reply  {1 if the job is terminal, list of 1 or 0 for each prompt: given or not,
--        group, its entries, its payloads, and so on for every group of a given prompt}
--@include job
--@include outcomes

local token = tonumber(ARGV[2])
local was = redis.call('HMGET', job, 'state', 'started')
local state = was[1]
local index = string.match(redis.call('HGET', buckets, ARGV[3]) or '', '^%d+')

local bits, holders = {'BITFIELD', done}, {'HMGET', running}
for i = 4, #ARGV, 3 do
  bits[#bits + 1] = 'GET'
  bits[#bits + 1] = 'u1'
  bits[#bits + 1] = ARGV[i]
  holders[#holders + 1] = ARGV[i]
end
bits = redis.call(unpack(bits))
holders = redis.call(unpack(holders))

local given, groups, held, cancelled = {}, {}, {'HSET', running}, {}
for k = 1, #bits do
  local offset, attempt, group = ARGV[3 * k + 1], ARGV[3 * k + 2], ARGV[3 * k + 3]
  local holder = tonumber(string.match(holders[k] or '', '^%d+') or 0)
  given[k] = 0
  if index and bits[k] == 0 and holder < token then
    if state == 'CANCELLING' then
      cancelled[#cancelled + 1] = {offset, 'C', attempt - 1, group, ''}
    elseif state == 'ACCEPTING' or state == 'QUEUED' or state == 'RUNNING' then
      given[k] = 1
      held[#held + 1] = offset
      held[#held + 1] = ARGV[2] .. ':' .. attempt .. ':' .. group .. ':' .. index
      if groups[#groups] ~= group then
        groups[#groups + 1] = group
      end
    end
  end
end

local now = now_ms()
local finished = math.max(record(cancelled, now), terminal(state))
local reply = {finished, given}
if #groups > 0 then
  redis.call(unpack(held))
  if not was[2] then
    redis.call('HSET', job, 'started', now, 'state', state == 'QUEUED' and 'RUNNING' or state)
  end
  for _, group in ipairs(groups) do
    local fields = redis.call('XRANGE', prompts, group + 1, group + 1)[1][2]
    reply[#reply + 1] = group
    reply[#reply + 1] = fields[4]
    reply[#reply + 1] = fields[6]
  end
end
if #groups > 0 or #cancelled > 0 then
  redis.call('PUBLISH', ARGV[1], '')
end
return reply
