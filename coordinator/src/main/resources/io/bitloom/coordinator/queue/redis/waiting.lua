-- Reads prompts in the order in which they were appended, with what is known of those that have no
-- outcome. Changes nothing.
-- KEYS   of the job
-- ARGV   1 id in the appends from which to go on, first '0', 2 prompts of that append to pass over,
--        3 number of prompts to look at
-- Reply  {id in the appends from which to go on, or '' after the last one, prompts of that append to
--        pass over, offsets that workers hold, and for each append: id, prompts passed over, entries,
--        for each entry 1 if it has its outcome, else 0; or '' if none has}
--@include tasks
--@include job

local APPENDS = 32
local left = tonumber(ARGV[3])
local reply = {'', 0, ''}
local some = redis.call('XRANGE', appends, ARGV[1], '+', 'COUNT', APPENDS)
for k, append in ipairs(some) do
  local id, entries = string.match(append[1], '^%d+'), append[2][4]
  local n = #entries / ENTRY
  local pass = id == ARGV[1] and math.min(n, tonumber(ARGV[2])) or 0
  local to = math.min(n, pass + left)
  local piece = string.sub(entries, pass * ENTRY + 1, to * ENTRY)
  local flags = to > pass and outcome_bits(offsets_of(piece, ENTRY), to - pass, false)
  for _, value in ipairs({id, pass, piece, flags and table.concat(flags) or ''}) do
    reply[#reply + 1] = value
  end
  left = left - (to - pass)
  if to < n then
    reply[1], reply[2] = id, to
    break
  elseif left == 0 or k == APPENDS then
    reply[1] = string.format('%.0f', id + 1)
    break
  end
end

local held = {}
for _, tasks in ipairs(redis.call('HVALS', running)) do
  held[#held + 1] = string.gsub(tasks, '....(....)..', '%1')
end
reply[3] = table.concat(held)
return reply
