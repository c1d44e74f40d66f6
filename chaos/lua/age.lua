-- Make a page of keys older. Keys that live for less than a minute are left alone: that is how long games last.
-- ARGV: cursor, ms.
local cursor, aged = ARGV[1], tonumber(ARGV[2])
local page = redis.call('SCAN', cursor, 'COUNT', 2000)
for _, key in ipairs(page[2]) do
  local ttl = redis.call('PTTL', key)
  if ttl > aged then redis.call('PEXPIRE', key, ttl - aged)
  elseif ttl > 60000 then redis.call('PEXPIRE', key, 30000) end
end
return page[1]
