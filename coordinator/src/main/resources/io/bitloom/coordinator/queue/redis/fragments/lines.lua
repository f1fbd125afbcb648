-- `lines` as transitions keep it.
local function kept_lines()
  local list, all = {}, redis.call('HGETALL', lines)
  for k = 1, #all, 2 do
    list[all[k]] = tonumber(all[k + 1])
  end
  return list
end

-- `lines` as the flows say. Also returns prompts and images that are ready, and since when the one
-- that waits longest was not served, or nil.
local function counted_lines()
  local list, prompts, images, since = {}, 0, 0, nil
  for _, packed in ipairs(redis.call('HVALS', flows)) do
    local flow = cmsgpack.unpack(packed)
    if flow.n > 0 and not flow.z then
      local line = line_of(flow)
      list[line] = (list[line] or 0) + 1
      prompts, images = prompts + flow.n, images + flow.i
      since = math.min(since or flow.s, flow.s)
    end
  end
  return list, prompts, images, since
end
