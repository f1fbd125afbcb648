-- Takes outcomes of prompts that this lease holds. The lease lets go of them afterwards
-- (settle.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 offsets of the prompts, then for each: report
-- Reply  {1 if the job is terminal now, a digit for each prompt: 1 taken, 2 it has its outcome
--        already, 0 the lease does not hold it}
--@include tasks
--@include job
--@include outcomes

local held = take_from_holder(ARGV[2], ARGV[3])
local place_of = {}
for k = #ARGV[3] / 4, 1, -1 do
  place_of[string.sub(ARGV[3], 4 * k - 3, 4 * k)] = k
end

local tasks, places = {}, {}
for at = 1, #held, TASK do
  tasks[#tasks + 1] = string.sub(held, at, at + TASK - 1)
  places[#places + 1] = place_of[string.sub(held, at + 4, at + 7)]
end
local verdicts, taken, reports = {}, {}, {}
if #tasks > 0 then
  for k, marked in ipairs(mark(tasks)) do
    verdicts[places[k]] = 1 + marked
    if marked == 0 then
      taken[#taken + 1] = tasks[k]
      reports[#reports + 1] = ARGV[3 + places[k]]
    end
  end
end
for k = 1, #ARGV[3] / 4 do
  if not verdicts[k] then
    local offset = struct.unpack('>I4', ARGV[3], 4 * k - 3)
    verdicts[k] = 2 * redis.call('GETBIT', done, offset)
  end
end

local ended = 0
if #tasks > 0 then
  ended = record(taken, reports, #tasks, now_ms())
  redis.call('PUBLISH', ARGV[1], '')
end
return {ended, table.concat(verdicts)}
