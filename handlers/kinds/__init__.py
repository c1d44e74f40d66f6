"""The kinds of games as Telegram shows them: a folder for each, behind one ``FACE``, listed in ``registry.py``."""
