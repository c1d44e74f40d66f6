-- Return the position of a group in a stream, or ''.
-- KEYS: feed. ARGV: group.
-- include groups
return groups()[ARGV[1]] or ''
