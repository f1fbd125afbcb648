-- Reads outcomes in the order in which they were committed.
-- KEYS   of the job
-- ARGV   1 cursor after which to start, 2 most outcomes
-- Reply  {state or false if there is no such job,
--        {{id of the entry, {field, body, ...}}, ...}: the first one may begin before the cursor,
--        group, its entries, its payloads, and so on for every group of an outcome}
--@include job

local after, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = {}
local first = redis.call('XREVRANGE', results, after + 1, '-', 'COUNT', 1)[1]
if first and tonumber(string.match(first[1], '^%d+')) + #first[2] / 2 > after + 1 then
  found[1] = first
  most = most - (string.match(first[1], '^%d+') + #first[2] / 2 - after - 1)
end
local from = after + 2
while most > 0 do
  local entries = redis.call('XRANGE', results, from, '+', 'COUNT', math.ceil(most / 8))
  if #entries == 0 then
    break
  end
  for _, entry in ipairs(entries) do
    if most > 0 then
      found[#found + 1] = entry
      most = most - #entry[2] / 2
      from = string.match(entry[1], '^%d+') + 1
    end
  end
end

local reply, seen = {redis.call('HGET', job, 'state'), found}, {}
for _, entry in ipairs(found) do
  for k = 1, #entry[2], 2 do
    local group = string.match(entry[2][k], '%d+$')
    if not seen[group] then
      seen[group] = true
      local fields = redis.call('XRANGE', prompts, group + 1, group + 1)[1][2]
      reply[#reply + 1] = group
      reply[#reply + 1] = fields[4]
      reply[#reply + 1] = fields[6]
    end
  end
end
return reply
