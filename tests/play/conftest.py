"""Fixture of the room in which operations of the application layer are tested."""

from tests.handlers.conftest import room

__all__ = ["room"]
