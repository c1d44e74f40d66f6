"""The games themselves: pure rules, and the engine that gives them order and durability.

Everything here but ``engine`` is a function of its arguments: no clock, no random, no I/O.
"""
