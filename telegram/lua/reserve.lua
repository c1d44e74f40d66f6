--!df flags=allow-undeclared-keys
-- Take the right to a call to a chat, or tell how long to wait for it.
-- ARGV: time or '', chat, lane, budget, rates
-- include rates
local base, chat, lane, budget = KEYS[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local now, rates = clock(ARGV[1]), cjson.decode(ARGV[5])
local wait = math.max(
  overall_wait(base, rates, lane, now),
  chat_wait(base, rates, chat, lane, now),
  blocked(base, chat, budget, now)
)
if wait == 0 then return {0, take(base, rates, chat, now) or 0} end
return {wait, 0}
