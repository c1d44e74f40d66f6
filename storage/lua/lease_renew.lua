-- Renew a lease, if the owner still holds it with that fencing token.
-- KEYS: lease, fence. ARGV: owner, time to live of the lease, of the fence, token.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[4] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
