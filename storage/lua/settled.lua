-- Return the id of the last entry of the feed KEYS[1] if the group ARGV[1] has read everything, else false.
-- include groups
local function settled()
  if redis.call('EXISTS', KEYS[1]) == 0 then return '0-0' end
  local stream, info = redis.call('XINFO', 'STREAM', KEYS[1]), {}
  for i = 1, #stream, 2 do info[stream[i]] = stream[i + 1] end
  local last = info['last-generated-id']
  return (groups()[ARGV[1]] or '0-0') == last and last
end
