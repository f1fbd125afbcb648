-- Takes outcomes of prompts that this lease holds. The lease lets go of them afterwards
-- (settle.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 offsets of the prompts, 4 bytes of the results of each:
--        u32s, or empty if none has any, then for each: report
-- Reply  {1 if the job is terminal now, tenant, prompts of the job, of these with their outcome, bytes
--        that it takes, bytes of its results, a digit for each prompt: 1 taken, 2 it has its outcome
--        already, 0 the lease does not hold it}
--@include drain
--@include tasks
--@include job
--@include outcomes

local held = take_from_holder(ARGV[2], ARGV[3])
local offsets, n = offsets_of(held, TASK)
local asked, places = #ARGV[3] / 4, nil
if string.gsub(held, '....(....)..', '%1') ~= ARGV[3] then
  local place_of = {}
  for k = asked, 1, -1 do
    place_of[struct.unpack('>I4', ARGV[3], 4 * k - 3)] = k
  end
  places = {}
  for k = 1, n do
    places[k] = place_of[offsets[k]]
  end
end

local verdicts, taken, reports, more_results = {}, {}, {}, 0
local decided = n > 0 and outcome_bits(offsets, n, true)
for k = 1, n do
  local place = places and places[k] or k
  if decided and decided[k] == 1 then
    verdicts[place] = 2
  else
    verdicts[place] = 1
    taken[#taken + 1] = string.sub(held, (k - 1) * TASK + 1, k * TASK)
    reports[#reports + 1] = ARGV[4 + place]
    if ARGV[4] ~= '' then
      more_results = more_results + struct.unpack('>I4', ARGV[4], 4 * place - 3)
    end
  end
end
for k = 1, n < asked and asked or 0 do
  if not verdicts[k] then
    local offset = struct.unpack('>I4', ARGV[3], 4 * k - 3)
    verdicts[k] = 2 * redis.call('GETBIT', done, offset)
  end
end

local ended = 0
if n > 0 then
  ended = record(taken, reports, n, now_ms(), more_results)
  redis.call('PUBLISH', ARGV[1], '')
end
local use = redis.call('HMGET', job, 'tenant', 'appended', 'succeeded', 'failed', 'cancelled',
  'bytes', 'results')
return {ended, use[1], use[2], string.format('%.0f', (use[3] or 0) + (use[4] or 0) + (use[5] or 0)),
  use[6], use[7], table.concat(verdicts)}
