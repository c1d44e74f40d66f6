-- Delete a challenge, unless a newer one has replaced it.
-- KEYS: challenge. ARGV: challenge.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
