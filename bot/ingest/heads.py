"""The heads of requests that are answered without uvicorn: updates to the webhook, and plain reads of the API."""

import httptools
import msgspec

from bot.ingest.reads import PlainRead, PlainReads
from bot.ingest.webhook import MAX_UPDATE, Header, Webhook

KNOWN_HEADS = 1024
"""Maximum number of remembered heads. Telegram and proxies repeat a few dozen, one for each length of a body."""


class MalformedRequest(Exception):
    """The head does not belong to a valid HTTP request."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """The head of a request that takes the fast path."""

    length: int
    """Length of the body in bytes."""
    keep_alive: bool


class FastHeads:
    """Decides from a request's head whether it takes the fast path.

    This admission is the risky part of an HTTP server. If a proxy and this server disagree about the end of a request,
    an attacker can hide one request in the body of another. httptools therefore parses each head that is seen for the
    first time, and only plain heads are admitted: POST, one Content-Length, no Transfer-Encoding, no Upgrade or Expect.
    Admitted heads are remembered byte for byte, and identical bytes are not parsed again. Plain reads of the API are
    admitted by rules of their own and not remembered, as their paths are many.
    """

    def __init__(self, webhook: Webhook | None, reads: PlainReads | None = None) -> None:
        self._webhook = webhook
        self._reads = reads
        self._known: dict[bytes, Head] = {}
        self.get = self._known.get
        """Lookup of a head that was admitted before; None if there is none."""

    def read(self, head: bytes) -> Head | PlainRead | None:
        """Return the parsed head, or None if the request is for uvicorn.

        Raises:
            MalformedRequest: the head is ambiguous. No server may answer it, as another may read it differently.
        """
        request = _ParsedHead()
        parser = httptools.HttpRequestParser(request)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            return None
        except httptools.HttpParserError as error:
            raise MalformedRequest(str(error)) from None
        if not request.headers_complete:
            raise MalformedRequest("the head is empty")
        if self._webhook is not None and self._webhook.is_at(request.url):
            return self._admitted(head, request, parser, self._webhook)
        if self._reads is not None and parser.get_method() == b"GET" and request.messages == 1:
            return self._reads.admitted(head, request.url, request.headers, parser)
        return None

    def _admitted(
        self, head: bytes, request: "_ParsedHead", parser: httptools.HttpRequestParser, webhook: Webhook
    ) -> Head | None:
        version, headers = parser.get_http_version(), request.headers
        names = [name for name, _ in headers]
        lengths = [value for name, value in headers if name == b"content-length"]
        if (
            version not in ("1.0", "1.1")
            or not head.startswith(b"POST %s HTTP/1." % request.url)  # llhttp tolerates repeated spaces
            or webhook.refusal(parser.get_method(), headers)
            or len(lengths) != 1
            or not lengths[0].isdigit()
            or int(lengths[0]) > MAX_UPDATE
            or b"transfer-encoding" in names
            or b"expect" in names
            or names.count(b"host") != (version == "1.1")
        ):
            return None
        found = Head(int(lengths[0]), version == "1.1" and parser.should_keep_alive())
        # Last check: httptools too must see exactly one request that ends after this number of bytes.
        if found.length:
            parser.feed_data(bytes(found.length))
        if request.messages != 1 or request.body != found.length:
            raise MalformedRequest("the length of the body is ambiguous")
        if len(self._known) >= KNOWN_HEADS:
            self._known.clear()
        self._known[head] = found
        return found


class _ParsedHead:
    """Collects the results of httptools."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[Header] = []
        self.headers_complete = False
        self.body = 0
        self.messages = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.headers_complete = True

    def on_body(self, body: bytes) -> None:
        self.body += len(body)

    def on_message_complete(self) -> None:
        self.messages += 1
