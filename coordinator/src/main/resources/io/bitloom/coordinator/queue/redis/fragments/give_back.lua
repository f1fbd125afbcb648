-- Puts entries of a flow before all that wait. Returns whether the bucket had nothing before.
local function put_first(id, flow, entries, ageing, now)
  table.sort(entries, function(a, b) return offset_of(a) < offset_of(b) end)
  local images = 0
  for _, entry in ipairs(entries) do
    images = images + string.byte(entry, ENTRY)
  end
  local news = add_entries(id, flow, #entries, images, ageing, now)
  flow.h = flow.h - 1
  redis.call('HSET', runs, flow.f .. ':' .. flow.h, table.concat(entries))
  save_flow(id, flow)
  return news
end

-- Lets tasks of a job that were not started wait again, before all others. Returns whether that may
-- be news to whoever leases.
local function give_back(id, tasks, ageing, now)
  local entries, news = {}, false
  for at = 1, #tasks, TASK do
    local task = string.sub(tasks, at, at + TASK - 1)
    if attempt_of(task) > 1 then
      redis.call('ZADD', retry, now, id .. ':' .. task)
      news = true
    else
      entries[#entries + 1] = string.sub(task, 1, ENTRY)
    end
  end
  local flow = #entries > 0 and load_flow(id)
  if flow then -- else the job ended meanwhile and wants nothing drawn
    news = put_first(id, flow, entries, ageing, now) or news
  end
  return news
end
