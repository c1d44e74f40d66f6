-- Restore a game. Returns 1; 0 if Redis has this version by now; -1 if Redis lacks the game and its shard has unread
-- events, which may contain the game's end.
-- KEYS: feed, game, tail, deadlines, live games of the chat topic.
-- ARGV: group, token of the feed or 'any' if unread events do not matter, id, version, kind, snapshot, deadline or '',
-- lifetime (ms), incarnation, 1 if the game has ended, 1 to skip the checks.
-- constant LIVE_TTL_MS
-- include settled
local have = tonumber(string.match(redis.call('HGET', KEYS[2], 'v') or '0', '%d+'))
if ARGV[11] == '0' then
  if have >= tonumber(ARGV[4]) then return 0 end
  if have == 0 and ARGV[2] ~= 'any' and settled() ~= ARGV[2] then return -1 end
end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[2], 'v', ARGV[4] .. '/' .. ARGV[9], 'k', ARGV[5], 's', ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[8])
if ARGV[7] == '' then redis.call('ZREM', KEYS[4], ARGV[3]) else redis.call('ZADD', KEYS[4], ARGV[7], ARGV[3]) end
if ARGV[10] == '1' then redis.call('SREM', KEYS[5], ARGV[3]) else redis.call('SADD', KEYS[5], ARGV[3]) end
redis.call('PEXPIRE', KEYS[5], LIVE_TTL_MS)
return 1
