-- Read the shared clock, and carry it over a step. Returns Redis's time, the shift, its token, and 1 if another
-- replica with a sound clock was heard.
-- constant MELT_MS
-- constant HEARD_MS
-- constant MOST_MS
-- constant AGREES_MS
-- KEYS: clock. ARGV: Redis's time ('': its own; tests give another), this process, the shared time by its own clock
-- ('': unknown), 1 if it may lead deadlines, the step that it has observed (ms; '': none), the token of the shift at
-- that time.
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local kept = redis.call('HMGET', KEYS[1], 'shift', 'since', 'token', 'heard', 'by', 'fit_heard', 'fit_by')
local shift, since, token = tonumber(kept[1]) or 0, tonumber(kept[2]) or now, tonumber(kept[3]) or 0
-- A time from before a step may lie in the future: then the shift does not shrink, and heard() ignores it.
shift = math.floor(shift * (1 - math.min(1, math.max(0, now - since) / MELT_MS)) + 0.5)
local function heard(at, by)
  at = tonumber(at)
  if at and by ~= ARGV[2] and at <= now and now - at < HEARD_MS then return 1 end
  return 0
end
if ARGV[5] ~= '' and tonumber(ARGV[6]) == token and heard(kept[4], kept[5]) == 0 then
  shift, token = shift + tonumber(ARGV[5]), token + 1
  if math.abs(shift) > MOST_MS then shift = 0 end
  redis.call('HSET', KEYS[1], 'shift', shift, 'since', now, 'token', token, 'heard', now, 'by', ARGV[2])
end
local believed = tonumber(ARGV[3])
if believed and math.abs(believed - now - shift) < AGREES_MS then
  redis.call('HSET', KEYS[1], 'heard', now, 'by', ARGV[2])
end
if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'fit_heard', now, 'fit_by', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], 2 * MELT_MS)
return {now, shift, token, heard(kept[6], kept[7])}
