-- Remembers a model, so that it is known while no worker has it.
-- KEYS   1 models: hash name -> description
-- ARGV   1 name, 2 description, 3 1 to keep the description that there is, else 0
-- Reply  {}
--@include drain

if ARGV[3] == '1' then
  redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return {}
