"""Rendering of games as messages. Nothing here imports aiogram, because that takes seconds."""
