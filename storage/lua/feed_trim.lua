-- Trim a stream up to the position of its slowest group that is in use. Returns the number of deleted entries.
-- KEYS: feed. ARGV: prefix of the marks of groups in use, this group, lifetime of its mark (ms), age up to which
-- handled entries stay (ms).
-- constant KEEP_ENTRIES
-- include groups
redis.call('SET', ARGV[1] .. ARGV[2], '1', 'PX', ARGV[3])
local low_ms, low_seq = nil, nil
for name, position in pairs(groups()) do
  if redis.call('EXISTS', ARGV[1] .. name) == 1 or name == 'projector' then
    local ms, seq = string.match(position, '(%d+)-(%d+)')
    ms, seq = tonumber(ms), tonumber(seq) + 1
    if not low_ms or ms < low_ms or (ms == low_ms and seq < low_seq) then low_ms, low_seq = ms, seq end
  end
end
if not low_ms then return 0 end
-- Keep young entries, unless there are too many: events that PostgreSQL loses in a failover are read again from here.
local t = redis.call('TIME')
local young = t[1] * 1000 + math.floor(t[2] / 1000) - ARGV[4]
if young < low_ms and redis.call('XLEN', KEYS[1]) <= KEEP_ENTRIES then low_ms, low_seq = young, 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-%.0f', low_ms, low_seq))
