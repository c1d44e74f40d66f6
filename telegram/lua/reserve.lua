-- Take the right to n calls to a chat, or tell how long to wait for it.
-- ARGV: time or '', chat, n, lane, budget, rates
-- include rates
local base, chat, n, lane, budget = KEYS[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local now, rates = clock(ARGV[1]), cjson.decode(ARGV[6])
local wait = math.max(
  overall_wait(base, rates, lane, n, now),
  chat_wait(base, rates, chat, lane, n, now),
  blocked(base, chat, budget, now)
)
if wait == 0 then return {0, take(base, rates, chat, n, now) or 0} end
return {wait, 0}
