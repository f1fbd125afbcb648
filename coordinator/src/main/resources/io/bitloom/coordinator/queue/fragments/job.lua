-- The keys of one job, for every script that works on a job:
--   job      hash    tenant, weight, priority, spec, state, counts, times (ms)
--   prompts  stream  groups of prompts of one bucket and one append; the id is the offset of the
--                    first one plus 1; b: bucket's index, e: entries (u32 offset, u8 images each),
--                    p: payloads (u32 length and bytes each)
--   buckets  hash    bucket -> '<index> <offset of its last prompt>'
--   running  hash    offset -> '<token>:<attempt>:<group>:<bucket's index>' of the lease that holds
--                    it; no prompt in here has an outcome
--   done     bitmap  1 at the offset of every prompt that has its outcome
--   results  stream  one entry for the outcomes of one call; the id is '<cursor of the first>-<ms>',
--                    a field '<offset>:<status>:<attempt>:<group>' with the body for each outcome;
--                    status: S succeeded, F failed, L lost, C cancelled
local job, prompts, buckets, running, done, results = unpack(KEYS)

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
