local OPEN =
  {ACCEPTING = true, QUEUED = true, RUNNING = true, PAUSED = true, CANCELLING = true}

-- 1 if a job in this state cannot change any more, or is not there; else 0.
local function terminal(state)
  return OPEN[state] and 0 or 1
end

-- What a job in this state becomes when its last prompt has its outcome; nil: it stays.
local function end_state(state, sealed, ending, succeeded, failed)
  if state == 'CANCELLING' then
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

local COUNTED_AS =
  {S = 'succeeded', F = 'failed', L = 'failed', C = 'cancelled', X = 'cancelled'}

-- Writes outcomes behind those of the job that there are.
-- before: how many there are; page: how many are in a list, nil: all are in one.
local function write(tasks, reports, now, before, page)
  local time, k = struct.pack('>I6', now), 1
  while k <= #tasks do
    local list, last = {'RPUSH', results}, #tasks
    if page then
      local place = before + k - 1
      list[2] = results .. ':' .. math.floor(place / page)
      last = math.min(last, k + page - 1 - place % page)
    end
    for i = k, last do
      list[#list + 1] = tasks[i] .. time .. reports[i]
    end
    redis.call(unpack(list))
    k = last + 1
  end
end

-- Makes outcomes visible together with the job's counts, and ends the job if these were the last.
-- tasks: all marked just now; reports: of these, in order; freed: how many tasks leases let go of;
-- more_results: bytes of their results, nil: none.
-- Returns 1 if the job is terminal now, else 0.
local function record(tasks, reports, freed, now, more_results)
  local was = redis.call('HMGET', job, 'state', 'appended', 'running', 'succeeded', 'failed',
    'cancelled', 'sealed', 'ending', 'drawn', 'bytes', 'results', 'page')
  local state, appended, held = was[1], tonumber(was[2]), tonumber(was[3]) - freed
  local counts = {succeeded = tonumber(was[4]), failed = tonumber(was[5]),
    cancelled = tonumber(was[6])}
  local drawn, bytes = tonumber(was[9] or 0), tonumber(was[10] or 0)
  local results_bytes = tonumber(was[11] or 0) + (more_results or 0)
  local before = counts.succeeded + counts.failed + counts.cancelled
  if #tasks > 0 then
    write(tasks, reports, now, before, was[12] and tonumber(was[12]))
    local bad = {}
    for k, report in ipairs(reports) do
      local count = COUNTED_AS[string.sub(report, 1, 1)]
      counts[count] = counts[count] + 1
      bytes = bytes + OUTCOME_BYTES + #report
      if count == 'succeeded' then
        drawn = drawn + string.byte(tasks[k], ENTRY)
      elseif count == 'failed' then
        bad[#bad + 1] = struct.pack('>I4', before + k)
      end
    end
    if #bad > 0 then
      redis.call('APPEND', failures, table.concat(bad))
    end
  end
  local change = {'HSET', job, 'running', held, 'succeeded', counts.succeeded,
    'failed', counts.failed, 'cancelled', counts.cancelled, 'drawn', drawn,
    'bytes', string.format('%.0f', bytes), 'results', string.format('%.0f', results_bytes)}
  local ended = before + #tasks == appended
    and end_state(state, was[7], was[8], counts.succeeded, counts.failed)
  if ended then
    for _, value in ipairs({'state', ended, 'ended', now, 'running', 0}) do
      change[#change + 1] = value
    end
    redis.call('UNLINK', appends, running)
  end
  redis.call(unpack(change))
  return ended and 1 or 0
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
  return record(list, reports, freed, now)
end
