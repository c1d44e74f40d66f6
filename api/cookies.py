"""The dashboard's cookie. It counts only beside a header that a page of another site cannot send."""

from typing import Final

from starlette.requests import Request

from api.problems import WrongOrigin

COOKIE: Final = "tombola-dashboard"
PAGE_HEADER: Final = "x-tombola-page"
"""Header of the dashboard's requests. A page of another site may not send it, because no origin is allowed to."""


def secret_in_cookie(request: Request) -> str | None:
    """Return the secret of the dashboard's session; None without one, and for a request that names its own token.

    Raises ``WrongOrigin`` if a page of another site may have caused the request.
    """
    if "authorization" in request.headers:
        return None
    secret = request.cookies.get(COOKIE)
    if secret is None:
        return None
    if PAGE_HEADER not in request.headers or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise WrongOrigin
    return secret
