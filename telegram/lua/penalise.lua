--!df flags=allow-undeclared-keys
-- Stop calls of a budget to a chat for so many milliseconds. Never shortens a longer stop.
-- ARGV: time or '', chat or 'all', milliseconds, budget or 'all'
-- include rates
local key, till = KEYS[1] .. ':hold:' .. ARGV[2], clock(ARGV[1]) + ARGV[3]
if till > (tonumber(redis.call('HGET', key, ARGV[4])) or 0) then
  redis.call('HSET', key, ARGV[4], till)
  if redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
end
