-- Set or renew the mark of a process, unless another bot has one. Returns that bot's id, or ''.
-- KEYS: bots. ARGV: id of the bot, process, lifetime of the mark (ms).
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local bot = string.match(member, '^%S+')
  if bot ~= ARGV[1] then return bot end
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1] .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return ''
