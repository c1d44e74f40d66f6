-- Return the positions of the consumer groups of the stream KEYS[1], by group.
local function groups()
  local found = {}
  if redis.call('EXISTS', KEYS[1]) == 0 then return found end
  for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local group = {}
    for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
    found[group['name']] = group['last-delivered-id']
  end
  return found
end
