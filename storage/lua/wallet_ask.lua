-- Store a challenge, unless the same command has asked for one already. Returns the one in force.
-- KEYS: challenge. ARGV: challenge, id of the command, lifetime (ms).
local before = redis.call('GET', KEYS[1])
if before and cjson.decode(before).command_id == ARGV[2] then return before end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]
