-- One pick, as every baseline commits it: check, move, and append to the feed.
-- KEYS: game, its players, number -> player, player -> number, feed. ARGV: player, number, update id, game id.
if redis.call('HGET', KEYS[1], 'phase') ~= 'number_selection' then return 'not-now' end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 0 then return 'not-in-game' end
local number = tonumber(ARGV[2])
if not number or number < 1 or number > tonumber(redis.call('HGET', KEYS[1], 'highest')) then return 'out-of-range' end
local owner = redis.call('HGET', KEYS[3], ARGV[2])
if owner == ARGV[1] then return 'already-yours' end
if owner then return 'taken' end
local before = redis.call('HGET', KEYS[4], ARGV[1])
if before then redis.call('HDEL', KEYS[3], before) end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
redis.call('XADD', KEYS[5], '*', 'g', ARGV[4], 'c', 'tg:' .. ARGV[3], 'p', ARGV[1], 'n', ARGV[2])
return 'done'
