"""Where a quiz's questions come from: the built-in bank, packs in files, a model that writes them.

A layer beside the rules: it knows what a question is, and nothing of stores or of Telegram.
"""
