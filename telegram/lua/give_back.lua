--!df flags=allow-undeclared-keys
-- Let an item that was in flight wait again.
-- ARGV: chat, id, fence, 1 if the attempt failed, time of it, message that is gone
-- include queue
local chat, id, fence, failed, now, gone = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if redis.call('HGET', B .. ':inflight', chat) ~= id .. ' ' .. fence then return 0 end
redis.call('HDEL', B .. ':inflight', chat)
if redis.call('EXISTS', B .. ':item:' .. id) == 1 then
  redis.call('HINCRBY', B .. ':item:' .. id, 'tries', failed)
  redis.call('HSET', B .. ':item:' .. id, 'tried', now)
  local slot = B .. ':slot:' .. redis.call('HGET', B .. ':item:' .. id, 'slot')
  if gone ~= '' and redis.call('HGET', slot, 'message') == gone then redis.call('HDEL', slot, 'message', 'digest') end
  restore(chat, id)
end
place(chat)
return 1
