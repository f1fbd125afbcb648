-- Reads whose job this is, also of one that is gone but for its places in lists.
-- KEYS   1 ledger
-- ARGV   1 job
-- Reply  {tenant, or '' if it is not known}

local packed = redis.call('HGET', KEYS[1], ARGV[1])
return {packed and cmsgpack.unpack(packed).t or ''}
