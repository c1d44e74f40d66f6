-- Trim a stream up to the position of its slowest group.
-- KEYS: feed. ARGV: prefix of readers' marks, group, time to live of its mark, how long young entries stay; in ms.
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
-- What PostgreSQL loses in a failover is read again from here: what is young stays, if there is not too much of it.
local t = redis.call('TIME')
local young = t[1] * 1000 + math.floor(t[2] / 1000) - ARGV[4]
if young < low_ms and redis.call('XLEN', KEYS[1]) <= KEEP_ENTRIES then low_ms, low_seq = young, 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-%.0f', low_ms, low_seq))
