-- Reads a job as it stands at one moment.
-- KEYS   of the job
-- ARGV   none
-- Reply  {prompts with workers, field, value, ...}, or {} if there is no such job
--@include job

local fields = redis.call('HGETALL', job)
if #fields == 0 then
  return {}
end
table.insert(fields, 1, redis.call('HLEN', running))
return fields
