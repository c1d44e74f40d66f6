-- Return the number of events of a game after a version, and the end of its tail: at least their records and the one
-- before, as each entry has at least one event. Returns false if the game has no such version.
-- KEYS: the game's hash, its tail. ARGV: the version, the incarnation.
local events, incarnation = string.match(redis.call('HGET', KEYS[1], 'v') or '', '^(%d+)/?(.*)$')
local more = tonumber(events or -1) - tonumber(ARGV[1])
if more < 0 or incarnation ~= ARGV[2] then return false end
return {more, redis.call('LRANGE', KEYS[2], -more - 1, -1)}
