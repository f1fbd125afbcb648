-- Cancels a job, or ends it because its completion window passed, some appends at a time; what
-- workers hold is left to them. Repeating it changes nothing.
-- KEYS   of the job
-- ARGV   1 channel of the job, 2 id in the appends from which to go on, first '0', 3 number of
--        appends, 4 C to cancel it, X if its window may have passed
-- Reply  {'cancelling', id to go on from, or '' after the last append};
--        {'state', state or false if there is no such job}: it is terminal already, or has time
--@include drain
--@include tasks
--@include job
--@include outcomes

local now = now_ms()
local was = redis.call('HMGET', job, 'state', 'expires', 'ending')
local state, ending = was[1], was[3] or ARGV[4]
local has_time = ARGV[4] == 'X' and tonumber(was[2] or math.huge) > now
if terminal(state) == 1 or has_time then
  return {'state', state}
end
if state ~= 'CANCELLING' then
  redis.call('HSET', job, 'state', 'CANCELLING', 'ending', ending)
end

local held = {}
for _, tasks in ipairs(redis.call('HVALS', running)) do
  for at = 1, #tasks, TASK do
    held[offset_of(tasks, at)] = true
  end
end
local some = redis.call('XRANGE', appends, ARGV[2], '+', 'COUNT', ARGV[3])
local go_on = ''
for _, append in ipairs(some) do
  local entries = append[2][4]
  local offsets, n = offsets_of(entries, ENTRY)
  local done_before = outcome_bits(offsets, n, false)
  local cancelled = {}
  for k = 1, n do
    if not (done_before and done_before[k] == 1) and not held[offsets[k]] then
      cancelled[#cancelled + 1] = string.sub(entries, (k - 1) * ENTRY + 1, k * ENTRY) .. '\0'
    end
  end
  record_all(table.concat(cancelled), ending, 0, now)
  go_on = string.match(append[1], '^%d+') + 1
end
if #some < tonumber(ARGV[3]) then
  go_on = ''
  record({}, {}, 0, now)
end
tell(ARGV[1])
return {'cancelling', go_on}
