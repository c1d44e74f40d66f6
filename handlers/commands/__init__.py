"""The commands, by audience. Each file's ``COMMANDS`` is the one list of what it has: routes and menus come from it."""
