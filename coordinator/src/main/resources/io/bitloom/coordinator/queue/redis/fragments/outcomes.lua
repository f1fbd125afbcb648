local OPEN =
  {ACCEPTING = true, QUEUED = true, RUNNING = true, PAUSED = true, CANCELLING = true}

-- 1 if a job in this state cannot change any more, or is not there; else 0.
local function terminal(state)
  return OPEN[state] and 0 or 1
end

-- What a job in this state becomes when its last prompt has its outcome; nil: it stays.
local function end_state(state, sealed, ending, succeeded, failed, refused)
  if state == 'CANCELLING' then
    if refused then
      return 'FAILED'
    end
    return ending == 'X' and 'EXPIRED' or 'CANCELLED'
  elseif sealed and OPEN[state] then
    if failed == 0 then
      return 'SUCCEEDED'
    end
    return succeeded > 0 and 'PARTIALLY_SUCCEEDED' or 'FAILED'
  end
end

-- Bytes of an outcome besides its report, with its place in a list.
local OUTCOME_BYTES = TASK + 6 + 8

local SUCCEEDED, FAILED, LOST = string.byte('SFL', 1, 3)

-- Makes outcomes visible together with the job's counts, and ends the job if these were the last. The
-- first part of a job stays as it is: the job ends when its other parts have, too (conclude.lua).
-- tasks: all marked just now; reports: of these, in order; freed: how many tasks leases let go of;
-- more_results: bytes of their results, nil: none.
-- Returns 1 if the job is terminal now, or would be but for other parts, else 0, and what it takes:
-- {tenant, prompts of the job, of these with their outcome, bytes that it takes, bytes of its results,
-- ms since it was created if these are the first that succeeded and somebody keeps it, else -1}.
local function record(tasks, reports, freed, now, more_results)
  local was = redis.call('HMGET', job, 'state', 'appended', 'running', 'succeeded', 'failed',
    'cancelled', 'sealed', 'ending', 'drawn', 'bytes', 'results', 'tenant', 'page', 'parts', 'refused',
    'born', 'fleeting')
  local succeeded, failed, cancelled = tonumber(was[4]), tonumber(was[5]), tonumber(was[6])
  local drawn, bytes = tonumber(was[9] or 0), tonumber(was[10] or 0)
  local first = succeeded == 0
  local before, n, page = succeeded + failed + cancelled, #tasks, tonumber(was[13] or math.huge)
  local time, bad, k = struct.pack('>I6', now), {}, 1
  while k <= n do -- one list after the other
    local list, in_list = {'RPUSH', results}, 0
    if was[13] then
      local place = before + k - 1
      list[2], in_list = results .. ':' .. math.floor(place / page), place % page
    end
    local last, at = math.min(n, k + page - in_list - 1), 2
    for i = k, last do
      local task, report = tasks[i], reports[i]
      at = at + 1
      list[at] = task .. time .. report
      bytes = bytes + #report
      local status = string.byte(report)
      if status == SUCCEEDED then
        succeeded = succeeded + 1
        drawn = drawn + string.byte(task, ENTRY)
      elseif status == FAILED or status == LOST then
        failed = failed + 1
        bad[#bad + 1] = before + i
      else
        cancelled = cancelled + 1
      end
    end
    redis.call(unpack(list))
    k = last + 1
  end
  if #bad > 0 then
    redis.call('APPEND', failures, struct.pack('>' .. string.rep('I4', #bad), unpack(bad)))
  end
  bytes = string.format('%.0f', bytes + n * OUTCOME_BYTES)
  local results_bytes = string.format('%.0f', (was[11] or 0) + (more_results or 0))
  local change = {'HSET', job, 'running', math.max(0, was[3] - freed), 'succeeded', succeeded,
    'failed', failed, 'cancelled', cancelled, 'drawn', drawn, 'bytes', bytes,
    'results', results_bytes}
  local with_outcome = before + n
  local ended = with_outcome == tonumber(was[2])
    and end_state(was[1], was[7], was[8], succeeded, failed, was[15])
  if ended then
    redis.call('UNLINK', appends, running)
  end
  if ended and not was[14] then
    for _, value in ipairs({'state', ended, 'ended', now, 'running', 0}) do
      change[#change + 1] = value
    end
  end
  redis.call(unpack(change))
  local told = first and succeeded > 0 and was[16] and was[17] ~= '1'
  local since = told and math.max(0, now - was[16]) or -1
  return ended and 1 or 0, {was[12], was[2], with_outcome, bytes, results_bytes, since}
end

-- Gives the same report without a body to all of some tasks, a string of them.
local function record_all(tasks, status, freed, now)
  local list, reports = {}, {}
  local offsets, n = offsets_of(tasks, TASK)
  if n > 0 then
    outcome_bits(offsets, n, true)
  end
  for k = 1, n do
    list[k], reports[k] = string.sub(tasks, (k - 1) * TASK + 1, k * TASK), status
  end
  return (record(list, reports, freed, now))
end
