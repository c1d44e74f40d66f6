--!df flags=allow-undeclared-keys
-- Count a call that has been answered from now on, instead of from when its right was taken.
-- ARGV: time or '', when it was taken, rates
-- include rates
local log = KEYS[1] .. ':sent:all'
if redis.call('LREM', log, 1, ARGV[2]) == 1 then
  note(log, cjson.decode(ARGV[3]).overall, {}, clock(ARGV[1]))
end
