-- Takes outcomes of prompts that this lease holds. The lease lets go of them afterwards
-- (settle.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 token of the lease, then for each prompt: offset, status, body
-- Reply  {1 if the job is terminal now, for each prompt: 1 taken, 2 it has an outcome already, 0
--        the lease does not hold it}
--@include job
--@include outcomes

local holders = {'HMGET', running}
for i = 3, #ARGV, 3 do
  holders[#holders + 1] = ARGV[i]
end
holders = redis.call(unpack(holders))

local outcomes, reply, seen = {}, {0}, {}
for k = 1, #holders do
  local offset = ARGV[3 * k]
  local token, attempt, group = string.match(holders[k] or '', '^(%d+):(%d+):(%d+)')
  local taken = token == ARGV[2] and not seen[offset]
  if taken then
    seen[offset] = true
    outcomes[#outcomes + 1] = {offset, ARGV[3 * k + 1], attempt, group, ARGV[3 * k + 2]}
  end
  reply[k + 1] = taken and 1 or redis.call('GETBIT', done, offset) * 2
end
reply[1] = record(outcomes, now_ms())
if #outcomes > 0 then
  redis.call('PUBLISH', ARGV[1], '')
end
return reply
