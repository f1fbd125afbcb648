-- Forgets prompts that have their outcome, but wait for their next attempt: their lease was ended
-- before it was told.
-- KEYS   of the bucket
-- ARGV   1 job, 2 tasks as that lease held them
-- Reply  {}
--@include drain
--@include tasks
--@include bucket

for at = 1, #ARGV[2], TASK do
  local task = string.sub(ARGV[2], at, at + TASK - 1)
  redis.call('ZREM', retry,
    ARGV[1] .. ':' .. string.sub(task, 1, ENTRY) .. string.char(attempt_of(task) + 1))
end
return {}
