"""Chaos suite: many games on real processes and real stores, while a seeded plan kills processes and stores.

Start it with `python -m chaos --seed 7 --rounds 40`. Afterwards `audit` checks everything from outside.
"""
