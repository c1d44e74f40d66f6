"""Error answers of the Bot API: codes and texts in Telegram's words."""

from typing import Any

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"

PREFIXES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class ApiError(Exception):
    """A refused call. `retry_after` is in whole seconds; `migrate_to` is the id of the supergroup that a group became.

    `wrong`: the call itself was wrong; otherwise the circumstances refuse it (blocked, deleted, no rights).
    """

    def __init__(
        self,
        code: int,
        text: str = "",
        *,
        wrong: bool = True,
        retry_after: int | None = None,
        migrate_to: int | None = None,
    ) -> None:
        super().__init__(code, text)
        self.code = code
        self.wrong = wrong
        prefix = PREFIXES.get(code, "Error")
        self.description = f"{prefix}: {text}" if text else prefix
        self.retry_after = retry_after
        self.migrate_to = migrate_to

    def body(self) -> dict[str, Any]:
        """Return the JSON object that the client receives."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        elif self.migrate_to is not None:
            body["parameters"] = {"migrate_to_chat_id": self.migrate_to}
        return body


def bad(text: str) -> ApiError:
    """Return a 400 for a call that is wrong in itself."""
    return ApiError(400, text)


def refused(text: str) -> ApiError:
    """Return a 400 for a call that circumstances made impossible."""
    return ApiError(400, text, wrong=False)


def forbidden(text: str) -> ApiError:
    """Return a 403."""
    return ApiError(403, text, wrong=False)


def too_many(seconds: int) -> ApiError:
    """Return a 429 that asks the client to wait `seconds`."""
    return ApiError(429, f"retry after {seconds}", retry_after=seconds)
