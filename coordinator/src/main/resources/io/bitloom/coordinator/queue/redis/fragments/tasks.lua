-- A prompt in a queue is an entry of 9 bytes: u32 group, u32 offset, u8 images. With a lease it is
-- a task of 10 bytes: an entry and u8 attempt. Lists of entries, of tasks and of u32 offsets are
-- strings of these, one behind the other.
local ENTRY, TASK = 9, 10

local function offset_of(entry, at)
  return (struct.unpack('>I4', entry, (at or 1) + 4))
end

local function numbers(list, format, n)
  local read = {struct.unpack('>' .. string.rep(format, n), list)}
  read[n + 1] = nil -- struct adds where it stopped
  return read, n
end

-- The groups of all entries or tasks of this size, and how many there are.
local function groups_of(list, size)
  return numbers(list, 'I4' .. string.rep('x', size - 4), #list / size)
end

-- The offsets, likewise.
local function offsets_of(list, size)
  return numbers(list, 'xxxxI4' .. string.rep('x', size - 8), #list / size)
end

local function attempt_of(task)
  return string.byte(task, TASK)
end

local function now_us()
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

local function now_ms()
  return math.floor(now_us() / 1000)
end

-- Splits tasks into those whose offsets are named and the others.
local function split(tasks, offsets)
  if string.gsub(tasks, '....(....)..', '%1') == offsets then
    return tasks, ''
  end
  local named = {}
  for at = 1, #offsets, 4 do
    named[string.sub(offsets, at, at + 3)] = true
  end
  local inside, outside = {}, {}
  for at = 1, #tasks, TASK do
    local side = named[string.sub(tasks, at + 4, at + 7)] and inside or outside
    side[#side + 1] = string.sub(tasks, at, at + TASK - 1)
  end
  return table.concat(inside), table.concat(outside)
end
