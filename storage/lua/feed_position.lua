-- Return the position of a group in a stream; '' if it has none.
-- KEYS: feed. ARGV: group.
-- include groups
return groups()[ARGV[1]] or ''
