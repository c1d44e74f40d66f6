-- Take a lease. Returns token, 0, ''; or, if another process holds it, 0, the remaining ms, the holder.
-- KEYS: lease, fence. ARGV: owner, lifetimes of the lease and of the fence (ms).
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[1])
  if left > tonumber(ARGV[2]) then  -- Redis's clock was set back: a dead holder's lease would last too long
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    left = tonumber(ARGV[2])
  end
  return {0, left, holder}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local fence = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {fence, 0, ''}
