"""Pages for people: the Mini App. They are static files; all their data comes from the HTTP API."""
