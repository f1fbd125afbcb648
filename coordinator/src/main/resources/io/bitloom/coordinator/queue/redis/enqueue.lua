-- Tells a bucket of prompts that a job accepted. What it knows already is skipped, so this can be
-- repeated; a gap is refused, so nothing can be left out.
-- KEYS   of the bucket
-- ARGV   1 channel, 2 bucket, 3 job, 4 tenant, 5 weight, 6 priority, 7 ageing (ms), 8 offset of the
--        job's last prompt in this bucket before these, or -1, 9 entries, 10 revision of the job,
--        11 1 if it is paused, else 0
-- Reply  {1, offset of the last prompt the bucket knows, 1 if the bucket was not there before};
--        {0, the same offset} if it lacks some before these: nothing changed
--@include drain
--@include tasks
--@include bucket
--@include wake

local RUN = 128 * ENTRY
local ageing = tonumber(ARGV[7])
local entries = ARGV[9]

local flow = load_flow(ARGV[3])
local mark = flow and flow.m or -1
if mark < tonumber(ARGV[8]) then
  return {0, mark}
end

local first, images, last = 1, 0, mark
for at = 1, #entries, ENTRY do
  local offset, n = struct.unpack('>I4B', entries, at + 4)
  if offset <= mark then
    first = at + ENTRY
  else
    last, images = offset, images + n
  end
end
if last == mark then
  return {1, mark, 0}
end
local new = not flow
if new then
  flow = {t = ARGV[4], f = redis.call('HINCRBY', meta, 'flow', 1), h = 1, l = 0, n = 0, i = 0}
end
local now = now_ms()
if flow.n == 0 then
  flow.e, flow.x, flow.y = now, nil, nil
elseif not flow.x then
  flow.x, flow.y = mark, now
end
flow.w, flow.m = tonumber(ARGV[5]), last
local news = false
if tonumber(ARGV[10]) ~= flow.v then
  news = adjust(ARGV[3], flow, tonumber(ARGV[6]), ARGV[11] == '1', tonumber(ARGV[10]), ageing, now)
end
local added = (#entries - first + 1) / ENTRY
news = add_entries(ARGV[3], flow, added, images, ageing, now) or news

if flow.l >= flow.h then
  local tail = redis.call('HGET', runs, flow.f .. ':' .. flow.l)
  if #tail < RUN then
    local fits = math.min(RUN - #tail, #entries - first + 1)
    redis.call('HSET', runs, flow.f .. ':' .. flow.l,
      tail .. string.sub(entries, first, first + fits - 1))
    first = first + fits
  end
end
for at = first, #entries, RUN do
  flow.l = flow.l + 1
  redis.call('HSET', runs, flow.f .. ':' .. flow.l, string.sub(entries, at, at + RUN - 1))
end
save_flow(ARGV[3], flow)

if news then
  wake(ARGV[1], ARGV[2], 0)
end
return {1, last, new and flow.f == 1 and 1 or 0}
