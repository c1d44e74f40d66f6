"""The Telegram side of each kind of game: a folder with one ``FACE`` for each kind, listed in ``registry.py``."""
