"""The rules of the games as pure functions, and the engine that adds order and durability.

Every module but ``engine`` is a function of its arguments: no clock, no randomness, no I/O.
"""
