-- Tells every coordinator that prompts become ready in this bucket in `delay` ms.
local function wake(channel, bucket, delay)
  local number = redis.call('HINCRBY', meta, 'wake', 1)
  if number == 1 then
    number = now_us()
    redis.call('HSET', meta, 'wake', string.format('%.0f', number))
  end
  redis.call('PUBLISH', channel, string.format('%s %.0f %.0f', bucket, number, delay))
end
