--!df flags=allow-undeclared-keys
-- Commit games of one shard independently. Returns a result for each: 'committed', 'conflict', 'occupied', or the
-- text of its error.
-- constant LIVE_TTL_MS
-- constant KEYS_A_GAME
-- constant ARGUMENTS_A_GAME
-- KEYS: deadlines, feed; then for each game its hash, its tail, its chat topic.
-- ARGV: prefix of a game's key; then for each game the arguments of commit() from `expected` on.
local function commit(
  game, tail, topic, expected, version, records, id, snapshot, ttl, phase, deadline, limit, kind, final
)
  if (redis.call('HGET', game, 'v') or '0') ~= expected then return 'conflict' end
  if records == '' then return 'committed' end
  limit = tonumber(limit)
  if limit > 0 then
    for _, member in ipairs(redis.call('SMEMBERS', topic)) do
      local here = string.sub(member, 1, 2) == string.sub(id, 1, 2)  -- a game of a migrated chat is in another shard
      if here and redis.call('EXISTS', ARGV[1] .. member) == 0 then redis.call('SREM', topic, member) end
    end
    if redis.call('SCARD', topic) >= limit then return 'occupied' end
    redis.call('SADD', topic, id)
    redis.call('HSET', game, 'k', kind)
  end
  local moved = false
  if deadline == '' then
    redis.call('ZREM', KEYS[1], id)
  elseif redis.call('ZADD', KEYS[1], 'CH', deadline, id) == 1 then
    moved = true
    redis.call('PUBLISH', KEYS[1], id .. ' ' .. deadline)
  end
  local first = false
  if snapshot ~= '' then
    redis.call('HSET', game, 'v', version, 's', snapshot)
    redis.call('DEL', tail)
    redis.call('PEXPIRE', topic, LIVE_TTL_MS)
  else
    redis.call('HSET', game, 'v', version)
    first = redis.call('RPUSH', tail, records) == 1
  end
  -- Renewed only now and then, to save two commands: no deadline is more than a day away, and each renews the keys.
  if snapshot ~= '' or first or moved then
    redis.call('PEXPIRE', game, ttl)
    redis.call('PEXPIRE', tail, ttl)
  end
  if final == '1' then redis.call('SREM', topic, id) end
  local before = string.match(expected, '%d+')
  redis.call('XADD', KEYS[2], '*', 'g', id, 'v', before, 'k', kind, 'p', phase, 'd', deadline, 'r', records)
  return 'committed'
end
local results = {}
for i = 0, (#KEYS - 2) / KEYS_A_GAME - 1 do
  local key, argument = 2 + i * KEYS_A_GAME, 1 + i * ARGUMENTS_A_GAME
  local well, result = pcall(
    commit, KEYS[key + 1], KEYS[key + 2], KEYS[key + 3], unpack(ARGV, argument + 1, argument + ARGUMENTS_A_GAME)
  )
  if not well and type(result) == 'table' then result = result.err end
  results[i + 1] = well and result or 'failed: ' .. tostring(result)
end
return results
