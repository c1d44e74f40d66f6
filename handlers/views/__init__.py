"""From a game's state to what people see of it. Nothing here knows aiogram: importing it takes seconds."""
