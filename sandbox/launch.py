"""Launch data of Mini Apps, signed as Telegram signs it."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

from sandbox.state import User


def launch_data(user: User, token: str, at: int, start: str = "") -> str:
    """Return the launch data that Telegram's client hands to the page of a bot when a person opens it.

    Args:
        user: the person.
        token: the bot's token.
        at: the time of the signature, in unix seconds.
        start: the parameter of the link that was opened; empty for none.
    """
    person = {"id": user.id, "first_name": user.first_name, "language_code": user.language_code}
    optional = {"last_name": user.last_name, "username": user.username, "is_premium": user.premium}
    person |= {name: value for name, value in optional.items() if value}
    fields = {"auth_date": str(at), "query_id": f"AA{user.id}", "user": json.dumps(person, ensure_ascii=False)}
    if start:
        fields["start_param"] = start
    key = hmac.digest(b"WebAppData", token.encode(), "sha256")
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return urlencode({**fields, "hash": hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()})
