-- Looks at all keys of a case of QueueSearchIT: what they say as text, without times and in one order, so
-- that two states in which the same can happen look the same; and what is wrong with them in any state.
-- KEYS   9 of the bucket, then for each job: its 8, and its first list of outcomes
-- ARGV   for each job: its id
-- Reply  {text, what is wrong or '', {'<job>:<offset> <report>' for each outcome}, {a dump of each key or ''}}

local TASK = 10
local flows, runs, ready, tenants, retry, leases, held, meta, lines = unpack(KEYS)
local text, outcomes, wrong = {}, {}, ''

local function say(...)
  text[#text + 1] = table.concat({...}, ' ')
end

local function must(is, what)
  if not is and wrong == '' then
    wrong = what
  end
end

local function sorted(list)
  table.sort(list)
  return table.concat(list, ',')
end

local function of_hash(key)
  local all, of = redis.call('HGETALL', key), {}
  for k = 1, #all, 2 do
    of[all[k]] = all[k + 1]
  end
  return of
end

local waiting = 0
local ids = redis.call('HKEYS', flows)
table.sort(ids)
for _, id in ipairs(ids) do
  local flow = cmsgpack.unpack(redis.call('HGET', flows, id))
  say('flow', id, flow.n, flow.i, flow.m, flow.p, flow.v or '', flow.z and 'paused' or '')
  local entries = ''
  for run = flow.h, flow.l do
    entries = entries .. (redis.call('HGET', runs, flow.f .. ':' .. run) or '')
  end
  say(entries, redis.call('HGET', runs, flow.f .. ':p') or '')
  must(#entries == 9 * flow.n, 'a flow has other entries than it counts')
  waiting = waiting + (flow.z and 0 or flow.n)
end
must(waiting == tonumber(redis.call('HGET', meta, 'prompts') or 0), 'the bucket counts wrong')
say('runs', redis.call('HLEN', runs))
for _, place in ipairs(redis.call('ZRANGE', ready, 0, -1)) do
  say('ready', (string.match(place, '%z([^%z]*)$')))
end
say('tenants', sorted(redis.call('ZRANGE', tenants, 0, -1)))
say('retry', table.concat(redis.call('ZRANGE', retry, 0, -1), ','))
say('leases', sorted(redis.call('ZRANGE', leases, 0, -1)))
local of_lease = {}
for name, packed in pairs(of_hash(held)) do
  local lease, tasks = cmsgpack.unpack(packed), {}
  for id, ofJob in pairs(lease.t) do
    tasks[#tasks + 1] = id .. '=' .. ofJob
  end
  of_lease[#of_lease + 1] = name .. ' ' .. tostring(lease.w) .. ' ' .. sorted(tasks)
end
say('held', sorted(of_lease))
say('turn', redis.call('HGET', meta, 'turn') or '')
for line, n in pairs(of_hash(lines)) do
  say('line', line, n)
end

for j = 1, #ARGV do
  local job, appends, _, _, running, done, _, failures, results = unpack(KEYS, 9 * j + 1, 9 * j + 9)
  local was = of_hash(job)
  local function count(name)
    return tonumber(was[name] or 0)
  end
  say('job', was.state, was.revision, was.priority, was.appended, was.running, was.succeeded, was.failed,
    was.cancelled, was.retried, was.ending or '', was.sealed and 'sealed' or '',
    was.started and 'started' or '', redis.call('EXISTS', appends))
  say(redis.call('GET', failures) or '')

  local with_outcome = {}
  local list = redis.call('LRANGE', results, 0, -1)
  for _, outcome in ipairs(list) do
    local offset = struct.unpack('>I4', outcome, 5)
    must(not with_outcome[offset], 'prompt ' .. offset .. ' has two outcomes')
    with_outcome[offset] = true
    must(redis.call('GETBIT', done, offset) == 1, 'an outcome has no bit')
    say(string.sub(outcome, 1, TASK), string.sub(outcome, TASK + 7))
    outcomes[#outcomes + 1] = ARGV[j] .. ':' .. offset .. ' ' .. string.sub(outcome, TASK + 7)
  end
  must(redis.call('BITCOUNT', done) == #list, 'a bit has no outcome')
  must(count('succeeded') + count('failed') + count('cancelled') == #list, 'outcomes are counted wrong')
  must(#list <= count('appended'), 'more outcomes than prompts')

  local holders, open = {}, {}
  for holder, tasks in pairs(of_hash(running)) do
    holders[#holders + 1] = holder .. '=' .. tasks
    for at = 1, #tasks, TASK do
      local offset = struct.unpack('>I4', tasks, at + 4)
      open[offset] = not with_outcome[offset] or nil
    end
  end
  say('running', sorted(holders))
  local distinct = 0
  for _ in pairs(open) do
    distinct = distinct + 1
  end
  must(count('running') >= distinct, 'fewer prompts are counted as running than leases hold')
  if was.ended then
    must(count('running') == 0 and #list == count('appended'), 'a job ended too early')
  end
end

local dumps = {}
for k, key in ipairs(KEYS) do
  dumps[k] = redis.call('DUMP', key) or ''
end
return {table.concat(text, '\n'), wrong, outcomes, dumps}
