-- Puts a prompt whose attempt ended without an outcome back to wait for the next one. Waits double
-- from `backoff` to `max_backoff` ms and are drawn between half and all of that.
-- Returns the wait in ms.
local function attempt_again(task, lease_task, backoff, max_backoff, now)
  local attempt = lease_task[3]
  local wait = math.min(max_backoff, backoff * 2 ^ (attempt - 1)) * (0.5 + 0.5 * math.random())
  redis.call('ZADD', retry, now + math.floor(wait),
    task .. ':' .. lease_task[1] .. ':' .. lease_task[2] .. ':' .. (attempt + 1))
  return wait
end
