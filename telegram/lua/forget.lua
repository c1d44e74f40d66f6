--!df flags=allow-undeclared-keys
-- Forget the message of a slot.
-- ARGV: slot
-- include queue
local key = B .. ':slot:' .. ARGV[1]
redis.call('HDEL', key, 'message', 'chat', 'digest', 'edit')
if not waiting_of(ARGV[1]) then redis.call('DEL', key) end
