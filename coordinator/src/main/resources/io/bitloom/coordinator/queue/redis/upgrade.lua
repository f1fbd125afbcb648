-- Makes data of version 1 those of version 2, all or nothing: the lists without which a coordinator
-- can do nothing get other names, and under the old ones is a text, so that every call of a
-- coordinator which knows version 1 only fails before it changes anything. Repeating it changes
-- nothing.
-- KEYS   1 version, then for each list: its old name, its new name
-- ARGV   1 the text
-- Reply  {}
--@include drain

if tonumber(redis.call('GET', KEYS[1]) or 1) > 1 then
  return {}
end
for k = 2, #KEYS, 2 do
  local old = redis.call('TYPE', KEYS[k])['ok']
  if old ~= 'none' and old ~= 'string' then
    redis.call('RENAME', KEYS[k], KEYS[k + 1])
  end
  redis.call('SET', KEYS[k], ARGV[1])
end
redis.call('SET', KEYS[1], 2)
return {}
