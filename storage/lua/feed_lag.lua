-- Count a group's unread entries, up to a limit. Returns their number, and the age of the oldest in ms.
-- KEYS: feed. ARGV: group, limit.
-- include groups
local position = groups()[ARGV[1]]
local waiting = redis.call('XRANGE', KEYS[1], position and '(' .. position or '-', '+', 'COUNT', ARGV[2])
local age, t = 0, redis.call('TIME')
if waiting[1] then age = t[1] * 1000 + math.floor(t[2] / 1000) - tonumber(string.match(waiting[1][1], '%d+')) end
return {#waiting, math.max(0, age)}
