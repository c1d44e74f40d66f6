-- Begin a write with an idempotency key. KEYS: request. ARGV: fingerprint, id of this attempt, time that an attempt
-- may take (ms), lifetime (ms). Returns `new`, `reused` (another request has the key), `busy` (an attempt is under
-- way), or `done` and the response.
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
local before = redis.call('HMGET', KEYS[1], 'f', 'u', 'r')
if before[1] and before[1] ~= ARGV[1] then return {'reused'} end
if before[3] then return {'done', before[3]} end
local till = tonumber(before[2] or 0)
if before[1] and at < till and till <= at + ARGV[3] then return {'busy'} end
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'o', ARGV[2], 'u', at + ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'new'}
