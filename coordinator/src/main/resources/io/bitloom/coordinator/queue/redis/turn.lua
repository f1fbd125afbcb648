-- Takes outcomes of prompts that leases hold, and gives prompts to other leases: all that there is to
-- say to a job at one time, in one call. Outcomes are taken first; leases let go of them afterwards
-- (finish.lua, settle.lua). Giving is the second half of leasing, after lease.lua took the prompts
-- from their bucket. What has its outcome already or is of a cancelled job is not given; the bucket
-- is to forget it (settle.lua). Of a paused job nothing is given; the bucket is to take it back
-- (reschedule.lua, release.lua).
-- KEYS   of the job
-- ARGV   1 channel of the job, then any number of
--          'commit', holder, offsets of the prompts, 1 if the lease then holds no prompt of this job
--            without outcome, else 0, bytes of the results of each: u32s, or empty if none has any,
--            number k of arguments by which BITFIELD sets the bits of all these prompts, then these,
--            then for each prompt: report;
--          'start', holder, tasks, number k of arguments by which BITFIELD reads the bits of all these
--            prompts, then these, number of their groups, then the groups
-- Reply  {1 if the job is terminal now, else 0, and 2 more if its first prompt was given just now and
--        somebody is to be told, if any outcome was taken {tenant, prompts of the job, of these with
--        their outcome, bytes that it takes, bytes of its results, ms since it was created if somebody
--        keeps it and no prompt had succeeded before, else -1}, else {}, then for each in
--        order, of a 'commit' {empty if all were taken, else a digit for each prompt: 1 taken, 2 it has
--        its outcome already, 0 the lease does not hold it}; of a 'start' {0, tasks that were given, if
--        any for each group: its payloads}, {1, ''} if the job is terminal, {2, '', revision,
--        priority} if it is paused}
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

local all_tasks, all_reports, more_results = {}, {}, 0
local counted_twice = false -- whether leases held prompts that got their outcome by others

-- Marks prompts of a lease, whose reports begin behind an argument, as having their outcome, and adds
-- them to those that are recorded together. Returns what became of each.
local function commit(holder, named, last, result_bytes, first_bit, before_reports)
  local n = #named / 4
  local list = redis.call('HGET', running, holder) or ''
  local whole = string.gsub(list, '....(....)..', '%1') == named
  local tasks, places = {}, {}
  for k = 1, n do
    local task = whole and string.sub(list, k * TASK - TASK + 1, k * TASK)
      or find_task(list, string.sub(named, 4 * k - 3, 4 * k))
    if task then
      tasks[#tasks + 1], places[#places + 1] = task, k
    end
  end

  local had_one
  if #tasks == n then
    had_one = bits_by(ARGV, first_bit, before_reports)
  elseif #tasks > 0 then
    had_one = outcome_bits(offsets_of(table.concat(tasks), TASK), #tasks, true)
  end
  counted_twice = counted_twice or had_one ~= nil
  local digits = (had_one or #tasks < n) and {}
  for at, k in ipairs(places) do
    local taken = not had_one or had_one[at] == 0
    if digits then
      digits[k] = taken and 1 or 2
    end
    if taken then
      all_tasks[#all_tasks + 1], all_reports[#all_reports + 1] = tasks[at], ARGV[before_reports + k]
      if result_bytes ~= '' then
        more_results = more_results + struct.unpack('>I4', result_bytes, 4 * k - 3)
      end
    end
  end
  if whole or last and list ~= '' and without_outcome(list, TASK) == '' then
    redis.call('HDEL', running, holder)
  end
  for k = 1, digits and n or 0 do
    digits[k] = digits[k]
      or 2 * redis.call('GETBIT', done, (struct.unpack('>I4', named, 4 * k - 3)))
  end
  return {digits and table.concat(digits) or ''}
end

local now, replies, starts = now_ms(), {}, {}
local at, after = 2, 0 -- the arguments of one of them
while ARGV[at] do
  if ARGV[at] == 'commit' then
    local before_reports = at + 5 + ARGV[at + 5]
    replies[#replies + 1] = commit(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3] == '1', ARGV[at + 4],
      at + 6, before_reports)
    after = before_reports + #ARGV[at + 2] / 4 + 1
  else
    local at_groups = at + 4 + ARGV[at + 3]
    replies[#replies + 1] = {}
    starts[#starts + 1] = {reply = #replies, holder = ARGV[at + 1], tasks = ARGV[at + 2],
      first_bit = at + 4, at_groups = at_groups, last_group = at_groups + ARGV[at_groups]}
    after = at_groups + ARGV[at_groups] + 1
  end
  at = after
end

local ended, use = 0, {}
if #all_tasks > 0 or counted_twice then
  local freed = counted_twice and miscounted() or #all_tasks
  local of_job
  ended, of_job = record(all_tasks, all_reports, freed, now, more_results)
  use = #all_tasks > 0 and of_job or use
end

local changed, begun = #all_tasks > 0, 0
if #starts > 0 then
  local was = redis.call('HMGET', job, 'state', 'started', 'running', 'ending', 'revision', 'priority')
  local state, held = was[1], tonumber(was[3])
  for _, start in ipairs(starts) do
    local given, reply = start.tasks, {0, ''}
    if terminal(state) == 1 then
      reply, given = {1, ''}, ''
    elseif state == 'PAUSED' then
      reply, given = {2, '', was[5], was[6]}, ''
    elseif bits_by(ARGV, start.first_bit, start.at_groups - 1) then
      given = without_outcome(given, TASK)
    end
    if given ~= '' and state == 'CANCELLING' then
      local untried = string.gsub(given, '(.........)(.)', function(entry, attempt)
        return entry .. string.char(string.byte(attempt) - 1)
      end)
      ended, changed = record_all(untried, was[4], 0, now), true
      reply, state = {ended, ''}, ended == 1 and 'CANCELLED' or state
    elseif given ~= '' then
      redis.call('HSET', running, start.holder, given)
      held, changed = held + #given / TASK, true
      reply = {0, given,
        unpack(redis.call('HMGET', prompts, unpack(ARGV, start.at_groups + 1, start.last_group)))}
    end
    replies[start.reply] = reply
  end
  if was[3] and held ~= tonumber(was[3]) then
    redis.call('HSET', job, 'running', held)
    if not was[2] then
      redis.call('HSET', job, 'started', now, 'state', state == 'QUEUED' and 'RUNNING' or state)
      begun = redis.call('HEXISTS', job, 'hook') * 2
    end
  end
end
if changed then
  tell(ARGV[1])
end
return {ended + begun, use, unpack(replies)}
