"""The sources of a quiz's questions: the built-in bank, packs in files, a model that writes them.

A layer beside the rules: it knows what a question is, and nothing of stores or of Telegram.
"""
