"""The chaos suite: many games are played on real processes and real stores while a seeded plan kills things.

`python -m chaos --seed 7 --rounds 40`. Afterwards everything is checked from outside: see `audit`.
"""
