-- Return how far a feed has come, if the group has read everything.
-- KEYS: feed. ARGV: group.
-- include settled
return settled()
