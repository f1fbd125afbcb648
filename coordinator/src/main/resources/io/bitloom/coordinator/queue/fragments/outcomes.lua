-- What a job in this state becomes when its last prompt has an outcome; nil: it stays.
local function end_state(state, succeeded, failed)
  if state == 'CANCELLING' then
    return 'CANCELLED'
  elseif state == 'QUEUED' or state == 'RUNNING' then
    if failed == 0 then
      return 'SUCCEEDED'
    end
    return succeeded > 0 and 'PARTIALLY_SUCCEEDED' or 'FAILED'
  end
end

-- 1 if a job in this state cannot change any more, or is not there; else 0.
local function terminal(state)
  local open = {ACCEPTING = 0, QUEUED = 0, RUNNING = 0, CANCELLING = 0}
  return open[state] or 1
end

-- Ends the job if every prompt has its outcome. Returns 1 if the job is terminal now, else 0.
local function finish(now)
  local c = redis.call('HMGET', job, 'state', 'appended', 'succeeded', 'failed', 'cancelled')
  if c[2] - c[3] - c[4] - c[5] > 0 then
    return 0
  end
  local ended = end_state(c[1], tonumber(c[3]), tonumber(c[4]))
  if not ended then
    return 0
  end
  redis.call('HSET', job, 'state', ended, 'ended', now)
  return 1
end

local counted_as = {S = 'succeeded', F = 'failed', L = 'failed', C = 'cancelled'}

-- Makes outcomes of prompts that have none visible, together with the job's counts.
-- outcomes: list of {offset, status, attempt, group, body}. Returns what finish() does.
local function record(outcomes, now)
  if #outcomes == 0 then
    return 0
  end
  local c = redis.call('HMGET', job, 'succeeded', 'failed', 'cancelled')
  local add = {'XADD', results, string.format('%.0f-%.0f', c[1] + c[2] + c[3] + 1, now)}
  local bits = {'BITFIELD', done}
  local offsets = {'HDEL', running}
  local counts = {}
  for _, o in ipairs(outcomes) do
    add[#add + 1] = o[1] .. ':' .. o[2] .. ':' .. o[3] .. ':' .. o[4]
    add[#add + 1] = o[5]
    bits[#bits + 1] = 'SET'
    bits[#bits + 1] = 'u1'
    bits[#bits + 1] = o[1]
    bits[#bits + 1] = 1
    offsets[#offsets + 1] = o[1]
    local count = counted_as[o[2]]
    counts[count] = (counts[count] or 0) + 1
  end
  redis.call(unpack(add))
  redis.call(unpack(bits))
  redis.call(unpack(offsets))
  for count, n in pairs(counts) do
    redis.call('HINCRBY', job, count, n)
  end
  return finish(now)
end
