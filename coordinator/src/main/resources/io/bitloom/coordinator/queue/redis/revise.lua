-- Replaces a record of the model registry, if it still is what it was when it was read.
-- KEYS   1 records: hash name -> record
-- ARGV   1 name, 2 the record as it was, empty if there was none, 3 as it is to be, empty: removed
-- Reply  {1 if that is done, else 0}

if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then
  return {0}
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return {1}
