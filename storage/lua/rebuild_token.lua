-- Return the id of a feed's last entry if the group has read everything, else nil.
-- KEYS: feed. ARGV: group.
-- include settled
return settled()
