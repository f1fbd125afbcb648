-- Tells every coordinator that prompts become ready in this bucket in `delay` ms.
local function wake(channel, bucket, delay)
  local number = redis.call('HINCRBY', meta, 'wake', 1)
  redis.call('PUBLISH', channel, string.format('%s %.0f %.0f', bucket, number, delay))
end
