"""GraphQL: the reads of the table of endpoints as one graph. Imported at the first request, see `entry`."""
