-- Release a lease, if the owner still holds it with that fencing token, and wake the processes that wait for it.
-- Returns 1, or 0 if it does not.
-- KEYS: lease, fence. ARGV: owner, token, channel.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], KEYS[1])
return 1
