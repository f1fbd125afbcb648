-- Reads of which version the data are, and their name, which they are given now if they have none.
-- KEYS   1 version, 2 name
-- ARGV   1 a name for data that have none
-- Reply  {version, '' if none is written, name, 1 if there were no data, else 0}

local version, name = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if not name then
  redis.call('SET', KEYS[2], ARGV[1])
end
return {version or '', name or ARGV[1], not version and not name and 1 or 0}
