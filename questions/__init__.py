"""Sources of a quiz's questions: the built-in bank, packs in files, a language model.

A layer beside the rules: it knows questions, but neither stores nor Telegram.
"""
