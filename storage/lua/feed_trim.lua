--!df flags=allow-undeclared-keys
-- Trim a stream up to the position of its slowest group that is in use. Returns the number of deleted entries.
-- KEYS: feed. ARGV: prefix of the marks of groups in use, this group, lifetime of its mark (ms), age up to which
-- handled entries stay (ms), key of the first id that was kept, its lifetime (ms).
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
local low = string.format('%.0f-%.0f', low_ms, low_seq)
local count = redis.call('XTRIM', KEYS[1], 'MINID', low)
-- Readers outside the groups learn from it whether entries that they have not read are gone. It is renewed only before
-- it expires, because an idle bot trims too, and each write is synced.
if count > 0 then
  redis.call('SET', ARGV[5], low, 'PX', ARGV[6])
elseif redis.call('PTTL', ARGV[5]) < ARGV[6] / 2 then
  redis.call('PEXPIRE', ARGV[5], ARGV[6])
end
return count
