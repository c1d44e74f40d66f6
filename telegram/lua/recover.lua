--!df flags=allow-undeclared-keys
-- Put back the items that the sender before had in flight, but for old answers to one person: they may be there.
-- ARGV: time or empty, fence, age in ms from which an answer is old. Returns how many are sent again, how many are not.
-- include rates
-- include queue
local now, fence, old_ms = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
if redis.call('GET', B .. ':fence') ~= fence then return {-1, 0} end
local flying, again, left = redis.call('HGETALL', B .. ':inflight'), 0, 0
for i = 1, #flying, 2 do
  local chat, id = flying[i], string.match(flying[i + 1], '^(.*) %d+$')
  local item = redis.call('HMGET', B .. ':item:' .. id, 'person', 'at')
  redis.call('HDEL', B .. ':inflight', chat)
  if item[1] and item[1] ~= '' and now - item[2] > old_ms then
    drop(chat, id)
    left = left + 1
  else
    restore(chat, id)
    again = again + 1
  end
  place(chat)
end
return {again, left}
