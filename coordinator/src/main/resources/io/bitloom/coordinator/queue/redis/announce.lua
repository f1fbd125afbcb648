-- Remembers a model, so that it is known while no worker has it.
-- KEYS   1 models: hash name -> description
-- ARGV   1 name, 2 description
-- Reply  {}
--@include drain

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {}
