-- Takes outcomes of prompts that this lease holds. The lease lets go of them afterwards
-- (finish.lua, settle.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 holder, 3 offsets of the prompts, 4 1 if the lease then holds no
--        prompt of this job without outcome, else 0, 5 bytes of the results of each: u32s, or empty
--        if none has any, 6 number k of arguments by which BITFIELD sets the bits of all these
--        prompts, then these arguments, then for each prompt: report
-- Reply  {1 if the job is terminal now, empty if all were taken, else a digit for each prompt: 1 taken,
--        2 it has its outcome already, 0 the lease does not hold it; if any was taken: tenant, prompts
--        of the job, of these with their outcome, bytes that it takes, bytes of its results}
--@include drain
--@include tasks
--@include job
--@include outcomes

-- The task of a prompt in a list of tasks.
local function find_task(list, offset)
  local at = string.find(list, offset, 1, true)
  while at and at % TASK ~= 5 do
    at = string.find(list, offset, at + 1, true)
  end
  return at and string.sub(list, at - 4, at + 5)
end

local holder, named = ARGV[2], ARGV[3]
local n, before_reports = #named / 4, 6 + ARGV[6]
local list = redis.call('HGET', running, holder) or ''
local whole = string.gsub(list, '....(....)..', '%1') == named

local tasks, reports, places = {}, {}, {}
for k = 1, n do
  local task = whole and string.sub(list, k * TASK - TASK + 1, k * TASK)
    or find_task(list, string.sub(named, 4 * k - 3, 4 * k))
  if task then
    local at = #tasks + 1
    tasks[at], reports[at], places[at] = task, ARGV[before_reports + k], k
  end
end

local had_one
if #tasks == n then
  had_one = bits_by(ARGV, 7, before_reports)
elseif #tasks > 0 then
  had_one = outcome_bits(offsets_of(table.concat(tasks), TASK), #tasks, true)
end

local verdicts = ''
if had_one or #tasks < n then
  local digits, taken, of_these, at = {}, {}, {}, {}
  for k = 1, #tasks do
    if had_one and had_one[k] == 1 then
      digits[places[k]] = 2
    else
      digits[places[k]] = 1
      taken[#taken + 1], of_these[#of_these + 1], at[#at + 1] = tasks[k], reports[k], places[k]
    end
  end
  for k = 1, n do
    digits[k] = digits[k]
      or 2 * redis.call('GETBIT', done, (struct.unpack('>I4', named, 4 * k - 3)))
  end
  verdicts, tasks, reports, places = table.concat(digits), taken, of_these, at
end

local more_results = 0
if ARGV[5] ~= '' then
  for _, k in ipairs(places) do
    more_results = more_results + struct.unpack('>I4', ARGV[5], 4 * k - 3)
  end
end
if list ~= '' and (whole or ARGV[4] == '1' and without_outcome(list, TASK) == '') then
  redis.call('HDEL', running, holder)
end
local ended, use = 0, {}
if #tasks > 0 then
  ended, use = record(tasks, reports, #tasks, now_ms(), more_results)
  redis.call('PUBLISH', ARGV[1], '')
end
return {ended, verdicts, unpack(use)}
