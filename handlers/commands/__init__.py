"""The commands, by audience. Routes and menus are both made from the ``COMMANDS`` of each module."""
