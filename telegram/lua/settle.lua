--!df flags=allow-undeclared-keys
-- Record Telegram's answer and remove the item. Returns 1 if the message sent is an orphan.
-- ARGV: chat, id, fence, slot, message sent, digest, edit method, slot's time to live, message edited
-- include queue
local chat, id, fence, slot, sent = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local digest, edit, ttl, edited, orphan = ARGV[6], ARGV[7], ARGV[8], ARGV[9], 0
local flying = redis.call('HGET', B .. ':inflight', chat)
if flying == id .. ' ' .. fence then redis.call('HDEL', B .. ':inflight', chat) end
if slot ~= '' then
  local key = B .. ':slot:' .. slot
  local current = redis.call('HMGET', key, 'message', 'chat')
  if sent ~= '' then
    -- Another sender was here first: its message is the living one, and this one an orphan.
    if current[1] and current[2] == chat and current[1] ~= sent then
      orphan = 1
    else
      redis.call('HSET', key, 'message', sent, 'chat', chat, 'digest', digest, 'edit', edit)
    end
  elseif edited ~= '' and current[1] == edited and current[2] == chat then
    redis.call('HSET', key, 'digest', digest)
  end
  if redis.call('HGET', key, 'waiting') == id then redis.call('HDEL', key, 'waiting') end
  redis.call('PEXPIRE', key, ttl)
end
drop(chat, id)
place(chat)
return orphan
