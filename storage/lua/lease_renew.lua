-- Renew a lease, if the owner still holds it with that fencing token. Returns 1, or 0 if it does not.
-- KEYS: lease, fence. ARGV: owner, lifetimes of the lease and of the fence (ms), token.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[4] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
