-- Puts tasks whose attempt ended without an outcome back to wait for the next one. Waits double
-- from `backoff` to `max_backoff` ms and are drawn between half and all of that.
-- Returns the shortest wait in ms.
local function attempt_again(id, tasks, backoff, max_backoff, now)
  local shortest = math.huge
  for at = 1, #tasks, TASK do
    local task = string.sub(tasks, at, at + TASK - 1)
    local attempt = attempt_of(task)
    local wait = math.floor(
      math.min(max_backoff, backoff * 2 ^ (attempt - 1)) * (0.5 + 0.5 * math.random()))
    redis.call('ZADD', retry, now + wait,
      id .. ':' .. string.sub(task, 1, ENTRY) .. string.char(attempt + 1))
    shortest = math.min(shortest, wait)
  end
  return shortest
end

-- Splits tasks into those that have an attempt left and the others.
local function attempts_left(tasks, most)
  local some, none = {}, {}
  for at = 1, #tasks, TASK do
    local task = string.sub(tasks, at, at + TASK - 1)
    local side = attempt_of(task) < most and some or none
    side[#side + 1] = task
  end
  return table.concat(some), table.concat(none)
end
