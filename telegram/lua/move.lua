--!df flags=allow-undeclared-keys
-- Move all that waits for a group to its new id.
-- ARGV: old chat, new chat, how long the move is remembered
-- include queue
local old, new = ARGV[1], ARGV[2]
redis.call('SET', B .. ':moved:' .. old, new, 'PX', ARGV[3])
local flying = redis.call('HGET', B .. ':inflight', old)
redis.call('HDEL', B .. ':inflight', old)
if flying then restore(old, string.match(flying, '^(.*) %d+$')) end
local from, to = B .. ':q:' .. old, B .. ':q:' .. new
local ids = redis.call('ZRANGE', from, 0, -1, 'WITHSCORES')
for i = 1, #ids, 2 do
  if redis.call('EXISTS', B .. ':item:' .. ids[i]) == 1 then
    redis.call('HSET', B .. ':item:' .. ids[i], 'chat', new)
    redis.call('ZADD', to, ids[i + 1], ids[i])
  end
end
local ttl = redis.call('PTTL', from)
if ttl > redis.call('PTTL', to) then redis.call('PEXPIRE', to, ttl) end
redis.call('DEL', from)
leave_lanes(old)
place(new)
return #ids / 2
