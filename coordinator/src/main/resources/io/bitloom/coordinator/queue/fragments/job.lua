-- The keys of one job, for every script that works on a job:
--   job      hash    tenant, weight, priority, spec, state, counts, times (ms); revision: counts up
--                    when it is paused, resumed or given another priority; ending: status of what
--                    waits in a job that is CANCELLING
--   appends  stream  what was appended to one bucket at once; the id is the offset of the first
--                    prompt plus 1; b: bucket, e: entries
--   prompts  hash    group, the offset of its first prompt -> payloads
--   buckets  hash    bucket -> offset of the last prompt that was appended to it
--   running  hash    holder, '<token> <bucket>' -> tasks that this lease holds
--   done     bitmap  1 at the offset of every prompt that has its outcome
--   results  list    outcomes in the order in which they were taken; cursor c is at place c - 1. An
--                    outcome is a task, u48 time (ms) and a report: a letter for the status
--                    (S succeeded, F failed, L lost, C cancelled, X expired) and the body
--   failures string  u32 cursors of the outcomes that failed or were lost
local job, appends, prompts, buckets, running, done, results, failures = unpack(KEYS)

-- For each of the tasks or entries of this size: 1 if it has its outcome, else 0.
local function has_outcome(list, size)
  local bits, n = {'BITFIELD', done}, 2
  for at = 1, #list, size do
    bits[n + 1], bits[n + 2], bits[n + 3] = 'GET', 'u1', offset_of(list, at)
    n = n + 3
  end
  return redis.call(unpack(bits))
end

-- Takes tasks from what a lease holds of this job. Returns those that it did hold.
local function take_from_holder(holder, offsets)
  local inside, outside = split(redis.call('HGET', running, holder) or '', offsets)
  if inside ~= '' then
    if outside == '' then
      redis.call('HDEL', running, holder)
    else
      redis.call('HSET', running, holder, outside)
    end
  end
  return inside
end
