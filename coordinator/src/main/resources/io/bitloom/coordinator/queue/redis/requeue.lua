-- Notes that a lease gave prompts back to their bucket: the second half of retry.lua, release.lua
-- and expire.lua. If the job was cancelled, they are cancelled now.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 'attempt' if it was an attempt, else 'back', 4 offsets
-- Reply  {1 if the job is terminal now, else 0, offsets of these prompts that have their outcome: the
--        bucket is to forget them (drop_retries.lua)}
--@include drain
--@include tasks
--@include job
--@include outcomes

local function decided(offsets)
  local list, n = numbers(offsets, 'I4', #offsets / 4)
  local flags = n > 0 and outcome_bits(list, n, false)
  local some = {}
  for k = 1, flags and n or 0 do
    if flags[k] == 1 then
      some[#some + 1] = string.sub(offsets, 4 * k - 3, 4 * k)
    end
  end
  return table.concat(some)
end

local had_one = decided(ARGV[4])
local freed, held, n = take_from_holder(ARGV[2], ARGV[4])
if not held then
  return {0, had_one}
end
local was = redis.call('HMGET', job, 'state', 'ending')
local cancelled = was[1] == 'CANCELLING' and freed or ''
if ARGV[3] == 'attempt' and cancelled == '' then
  redis.call('HINCRBY', job, 'retried', #freed / TASK)
end
local ended = record_all(cancelled, was[2], n, now_ms())
tell(ARGV[1])
return {ended, had_one}
