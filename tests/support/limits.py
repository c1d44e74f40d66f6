"""Reservations of calls, as the tests make them."""

from telegram.limits import Budget, Limits, Priority


async def reserve(
    limits: Limits, chat_id: int, *, priority: Priority = Priority.URGENT, budget: Budget = Budget.SEND
) -> int:
    """Reserve a call; return the milliseconds to wait if it may not be made now, else 0."""
    wait, _ = await limits.reserve(chat_id, priority, budget)
    return wait
