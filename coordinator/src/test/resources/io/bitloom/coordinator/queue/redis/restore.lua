-- Makes all keys of a case of QueueSearchIT what they were.
-- KEYS   as in picture.lua
-- ARGV   their dumps, '' for a key that was not there
-- Reply  {}

redis.call('UNLINK', unpack(KEYS))
for k, dump in ipairs(ARGV) do
  if dump ~= '' then
    redis.call('RESTORE', KEYS[k], 0, dump)
  end
end
return {}
