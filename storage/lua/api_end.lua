-- End an attempt, if it is still the one under way. KEYS: request. ARGV: id of the attempt, response (empty: the next
-- attempt may begin at once).
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('HSET', KEYS[1], 'u', 0)
else
  redis.call('HSET', KEYS[1], 'r', ARGV[2])
  redis.call('HDEL', KEYS[1], 'o', 'u')
end
return 1
