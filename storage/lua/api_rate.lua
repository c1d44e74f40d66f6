-- Let a client make a request, or tell when it may. KEYS: rate. ARGV: time that one request costs (µs), time that a
-- client may be ahead (µs). Returns the wait in ms (0: go on) and the number of requests that may follow at once.
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local cost, ahead = tonumber(ARGV[1]), tonumber(ARGV[2])
-- A clock that was set back must not shut a client out for longer than its own requests would.
local paid = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), at), at + ahead)
if paid + cost > at + ahead then
  return {math.ceil((paid + cost - at - ahead) / 1000), 0}
end
redis.call('SET', KEYS[1], string.format('%.0f', paid + cost), 'PX', math.ceil((paid + cost - at) / 1000) + 1000)
return {0, math.floor((at + ahead - paid - cost) / cost)}
