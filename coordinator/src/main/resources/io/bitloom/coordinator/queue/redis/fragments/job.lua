-- The keys of one job, or of one part of a job, for every script that works on a job. A job that is
-- spread over several slots has parts, each of which has all these keys, counts and a state of its
-- own, as if it were a job; the first one is the job itself, and its state is the job's.
--   job      hash    tenant, weight, priority, spec, state, counts (images: asked for, drawn: made),
--                    times (ms); revision: counts up
--                    when it is paused, resumed or given another priority; ending: status of what
--                    waits in a job that is CANCELLING; now:…: parts of the spec that were changed;
--                    refused: the job ends as FAILED when it is stopped; input:… and output:…: how far
--                    these are (note.lua);
--                    parts: how many there are, absent if there is one; opened: how many of these
--                    have prompts, or had them in a moment;
--                    hook: 1 if somebody is to be told what becomes of the job, in its first part with
--                    hook:told, hook:dead: letters of the events that were delivered, or given up
--                    since then; hook:tries: failed attempts of the next event; hook:next: when its
--                    next one is due (ms); hook:error: why the last one failed; hook:failures: failed
--                    attempts of all; hook:gone: 1 if the receiver wants no more;
--                    page: how many outcomes are in a list of them, absent in data version 1. Since
--                    version 2 born: when it was created (ms), and created: a text, at which
--                    a coordinator of version 1 fails before it does anything with the job
--   appends  stream  what was appended to one bucket at once; the id is the offset of the first
--                    prompt plus 1; b: bucket, e: entries
--   prompts  hash    group, the offset of its first prompt -> payloads
--   buckets  hash    bucket -> offset of the last prompt that was appended to it
--   running  hash    holder, '<lease> <bucket>' -> tasks that this lease holds, as they were given to it:
--                    those that have their outcome stay until all of them have, so that an outcome
--                    costs the same however many there are. The job's count of running prompts is
--                    of those without outcome
--   done     bitmap  1 at the offset of every prompt that has its outcome
--   results  list    outcomes in the order in which they were taken; cursor c is at place c - 1.
--                    With pages, place p is in the list results:<p / page>, so that no list is so
--                    long that a place in it takes time to find, and there is no list results. An
--                    outcome is a task, u48 time (ms) and a report: a letter for the status
--                    (S succeeded, F failed, L lost, C cancelled, X expired) and the body
--   failures string  u32 cursors of the outcomes that failed or were lost
local job, appends, prompts, buckets, running, done, results, failures = unpack(KEYS)

-- Tells whoever watches the job that it has changed. A channel with a hash tag is one that only the
-- servers of its slot know.
local function tell(channel)
  redis.call(string.find(channel, '{', 1, true) and 'SPUBLISH' or 'PUBLISH', channel, '')
end

-- Reads or sets outcome bits by arguments of BITFIELD that were made by the caller: 'GET', 'u<bits>',
-- first offset; or 'SET', 'u<bits>', first offset, all ones. They name the prompts in order.
-- Returns nil if all were 0, else for each prompt what it was.
local function bits_by(call, first, last)
  local was, none = redis.call('BITFIELD', done, unpack(call, first, last)), true
  for _, number in ipairs(was) do
    none = none and number == 0
  end
  if none then
    return nil
  end
  local flags, step = {}, (last - first + 1) / #was
  for run, number in ipairs(was) do
    local bits = tonumber(string.sub(call[first + (run - 1) * step + 1], 2))
    for shift = bits - 1, 0, -1 do
      flags[#flags + 1] = math.floor(number / 2 ^ shift) % 2
    end
  end
  return flags
end

-- Reads the outcome bits of prompts, or sets them to 1. Prompts are mostly neighbours, so that their
-- bits are read and set as numbers of up to 32 bits. Returns the same.
local function outcome_bits(offsets, n, set)
  local call, k = {}, 1
  while k <= n do
    local first, bits = offsets[k], 1
    while bits < 32 and offsets[k + bits] == first + bits do
      bits = bits + 1
    end
    local at = #call
    call[at + 1], call[at + 2], call[at + 3] = set and 'SET' or 'GET', 'u' .. bits, first
    if set then
      call[at + 4] = string.format('%.0f', 2 ^ bits - 1)
    end
    k = k + bits
  end
  return bits_by(call, 1, #call)
end

-- Those of the tasks or entries of this size that have no outcome, and how many.
local function without_outcome(list, size)
  local offsets, n = offsets_of(list, size)
  local flags = n > 0 and outcome_bits(offsets, n, false)
  if not flags then
    return list, n
  end
  local left = {}
  for k = 1, n do
    if flags[k] == 0 then
      left[#left + 1] = string.sub(list, (k - 1) * size + 1, k * size)
    end
  end
  return table.concat(left), #left
end

-- How many prompts without outcome leases hold, each as often as leases do. A prompt may be held by
-- two leases if its job has not heard that the first is over; when it then has its outcome by one of
-- them, the job's count is of one prompt too many.
local function count_running()
  local n = 0
  for _, tasks in ipairs(redis.call('HVALS', running)) do
    n = n + select(2, without_outcome(tasks, TASK))
  end
  return n
end

-- By how many the job's count of running prompts is too high, where that may be so; of many leases
-- the sweep counts them (loose_ends.lua).
local function miscounted()
  return redis.call('HLEN', running) <= 64 and redis.call('HGET', job, 'running') - count_running()
end

-- Takes tasks from what a lease holds of this job. Returns those that it did hold and that have no
-- outcome, whether it held any of them, and how many prompts less are running then.
local function take_from_holder(holder, offsets)
  local inside, outside = split(redis.call('HGET', running, holder) or '', offsets)
  if inside == '' then
    return '', false, 0
  end
  if without_outcome(outside, TASK) == '' then
    redis.call('HDEL', running, holder)
  else
    redis.call('HSET', running, holder, outside)
  end
  local freed, n = without_outcome(inside, TASK)
  if freed ~= inside then
    n = miscounted() or n
  end
  return freed, true, n
end
