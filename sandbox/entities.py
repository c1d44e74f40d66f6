"""Formatted text: Telegram's HTML dialect, entities in UTF-16 units, and the clean-up that the server does.

The parser follows the published behaviour of TDLib: the same tags, the same error texts with byte offsets.
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.errors import bad

Entity = dict[str, Any]

MAX_ENTITIES = 100
PLAIN_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
OTHER_TAGS = {"a", "pre", "code", "blockquote", "tg-emoji", "tg-time"}
NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
TIME_FORMAT = re.compile(r"r|w?[dD]?[tT]?")
USER_LINK = re.compile(r"tg://user\?(?:.*&)?id=(\d+)")
AUTOMATIC = (
    ("url", re.compile(r"(?:https?://|(?<![\w@.])t\.me/)[^\s<>\"]*[^\s<>\".,;:!?)\]]")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("mention", re.compile(r"(?<![\w@/])@[A-Za-z]\w{2,31}(?!\w)")),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/<>])")),
    ("hashtag", re.compile(r"(?<![\w#])#\w*[^\W\d]\w*")),
)
OPAQUE = {"pre", "code", "text_link", "text_mention", "url", "email", "mention", "bot_command", "hashtag"}
CONTROL = {chr(code): " " for code in range(32) if chr(code) != "\n"} | {"\r": ""}
INVISIBLE = {chr(code): "" for code in range(0x2028, 0x202F)}
CLEANED = str.maketrans(CONTROL | INVISIBLE)


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 code units, the unit of all offsets of the Bot API."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


@dataclass(slots=True)
class OpenTag:
    """An unclosed start tag; `offset` in UTF-16 units, `start` in characters of the result."""

    name: str
    attributes: dict[str, str]
    offset: int
    start: int


class HtmlReader:
    """Parser of one text. Raises ApiError with `can't parse entities: ...` and the byte offset of the fault."""

    def __init__(self, source: str) -> None:
        self.source = source + "\0"
        self.size = len(source)
        self.at = 0
        self.result: list[str] = []
        self.offset = 0
        self.stack: list[OpenTag] = []
        self.entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        """Return the plain text and its entities, in order."""
        while self.at < self.size:
            char = self.source[self.at]
            if char == "&" and (decoded := self._character()):
                self._append(decoded)
            elif char != "<":
                self._append(char)
                self.at += 1
            elif self.source[self.at + 1] == "/":
                self._end_tag()
            else:
                self._start_tag()
        if self.stack:
            raise self._fault(f'Can\'t find end tag corresponding to start tag "{self.stack[-1].name}"')
        text = "".join(self.result)
        if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
            raise self._fault(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            )
        return text, sort_entities(self.entities)

    @staticmethod
    def _fault(text: str) -> Exception:
        return bad(f"can't parse entities: {text}")

    def _byte_offset(self, index: int) -> int:
        return len(self.source[:index].encode("utf-8", "surrogatepass"))

    def _append(self, char: str) -> None:
        self.result.append(char)
        self.offset += 2 if ord(char) > 0xFFFF else 1

    def _character(self) -> str:
        """Decode the character reference at `&` and move past it. Returns an empty text if there is none."""
        found = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([A-Za-z]+));?").match(self.source, self.at)
        if found is None:
            return ""
        hexadecimal, decimal, name = found.groups()
        if name:
            char = NAMED_CHARACTERS.get(name, "")
        else:
            code = int(hexadecimal, 16) if hexadecimal else int(decimal)
            char = chr(code) if 0 < code < 0x10FFFF and len(found[0].rstrip(";")) < 10 else ""
        if char:
            self.at = found.end()
        return char

    def _word(self, stops: str) -> str:
        """Read the characters up to white space, one of `stops` or the end of the text."""
        begin = self.at
        while not self.source[self.at].isspace() and self.source[self.at] not in stops + "\0":
            self.at += 1
        return self.source[begin : self.at]

    def _spaces(self) -> None:
        while self.source[self.at].isspace():
            self.at += 1

    def _start_tag(self) -> None:
        begin = self._byte_offset(self.at)
        self.at += 1
        name = self._word(">").lower()
        if self.at >= self.size:
            raise self._fault(f"Unclosed start tag at byte offset {begin}")
        if name not in PLAIN_TAGS and name not in OTHER_TAGS:
            raise self._fault(f'Unsupported start tag "{name}" at byte offset {begin}')
        attributes: dict[str, str] = {}
        while True:
            self._spaces()
            if self.source[self.at] == ">":
                break
            self._attribute(name, begin, attributes)
        self.at += 1
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._fault(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.stack.append(OpenTag(name, attributes, self.offset, len(self.result)))

    def _attribute(self, tag: str, begin: int, attributes: dict[str, str]) -> None:
        if self.at >= self.size:
            raise self._fault(f"Unclosed start tag at byte offset {begin}")
        # TDLib ends a name only at white space and "=", but the `expandable` of a quote has no value
        name = self._word("=>" if tag == "blockquote" else "=")
        if not name:
            raise self._fault(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._spaces()
        if self.source[self.at] != "=":
            if tag == "blockquote" and name == "expandable":
                attributes[name] = ""
                return
            text = f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte offset {begin}'
            raise self._fault(text)
        self.at += 1
        self._spaces()
        if self.at >= self.size:
            raise self._fault(f'Unclosed start tag "{tag}" at byte offset {begin}')
        attributes[name] = self._quoted() if self.source[self.at] in "'\"" else self._token()
        if self.at >= self.size:
            raise self._fault(f"Unclosed start tag at byte offset {begin}")

    def _token(self) -> str:
        begin = self.at
        while (char := self.source[self.at]).isascii() and (char.isalnum() or char in ".-"):
            self.at += 1
        if not self.source[self.at].isspace() and self.source[self.at] != ">":
            raise self._fault(f"Unexpected end of name token at byte offset {self._byte_offset(begin)}")
        return self.source[begin : self.at].lower()

    def _quoted(self) -> str:
        quote = self.source[self.at]
        self.at += 1
        value: list[str] = []
        while self.at < self.size and self.source[self.at] != quote:
            if self.source[self.at] == "&" and (decoded := self._character()):
                value.append(decoded)
                continue
            value.append(self.source[self.at])
            self.at += 1
        if self.at < self.size:
            self.at += 1
        return "".join(value)

    def _end_tag(self) -> None:
        begin = self._byte_offset(self.at)
        if not self.stack:
            raise self._fault(f"Unexpected end tag at byte offset {begin}")
        self.at += 2
        name = self._word(">").lower()
        self._spaces()
        if self.source[self.at] != ">":
            raise self._fault(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        tag = self.stack[-1]
        if name and name != tag.name:
            raise self._fault(f'Unmatched end tag at byte offset {begin}, expected "</{tag.name}>", found "</{name}>"')
        self.stack.pop()
        if self.offset > tag.offset:
            self._close(tag)

    def _close(self, tag: OpenTag) -> None:
        entity: Entity = {"type": "", "offset": tag.offset, "length": self.offset - tag.offset}
        if tag.name in PLAIN_TAGS:
            entity["type"] = PLAIN_TAGS[tag.name]
        elif tag.name == "blockquote":
            entity["type"] = "expandable_blockquote" if "expandable" in tag.attributes else "blockquote"
        elif tag.name == "tg-emoji":
            entity |= {"type": "custom_emoji", "custom_emoji_id": self._emoji_id(tag)}
        elif tag.name == "tg-time":
            entity |= self._time(tag)
        elif tag.name == "a":
            link = tag.attributes.get("href") or "".join(self.result[tag.start :])
            if not (target := link_target(link)):
                return
            entity |= target
        elif not self._merge_code(tag, entity):
            entity["type"] = tag.name
            if tag.name == "code" and (language := self._language(tag)):
                entity["language"] = language
        else:
            return
        self.entities.append(entity)

    @staticmethod
    def _language(tag: OpenTag) -> str:
        return tag.attributes.get("class", "").removeprefix("language-") if tag.name == "code" else ""

    def _merge_code(self, tag: OpenTag, entity: Entity) -> bool:
        """Combine `<pre><code class="language-x">`, or the reverse, into one `pre` with a language."""
        last = self.entities[-1] if self.entities else {}
        if (last.get("offset"), last.get("length")) != (entity["offset"], entity["length"]):
            return False
        if tag.name == "pre" and last["type"] == "code" and "language" in last:
            last["type"] = "pre"
            return True
        if tag.name == "code" and last["type"] == "pre" and (language := self._language(tag)):
            last["language"] = language
            return True
        return False

    def _emoji_id(self, tag: OpenTag) -> str:
        value = tag.attributes.get("emoji-id", "")
        if not value.isdecimal() or int(value) == 0:
            raise self._fault("Invalid custom emoji identifier specified")
        return value

    def _time(self, tag: OpenTag) -> Entity:
        unix, form = tag.attributes.get("unix", ""), tag.attributes.get("format", "")
        if not re.fullmatch(r"-?\d{1,12}", unix):
            raise self._fault("Invalid date identifier specified")
        if not TIME_FORMAT.fullmatch(form):
            raise self._fault("Invalid date format specified")
        return {"type": "date_time", "unix_time": int(unix)} | ({"date_time_format": form} if form else {})


def link_target(link: str) -> Entity | None:
    """Return the entity of `<a href>`: a mention of a user or a link; None if the address is invalid."""
    if found := USER_LINK.match(link):
        return {"type": "text_mention", "user_id": int(found[1])}
    if url := checked_url(link):
        return {"type": "text_link", "url": url}
    return None


def checked_url(link: str) -> str:
    """Return the address as the server stores it; empty unless it is an HTTP, tg or ton address."""
    link = link.strip()
    if re.match(r"(?i)tg:(//)?|ton:(//)?", link):
        return link
    if not (found := re.match(r"(?i)(?:(https?)://)?([^/?#\s]+)([/?#]\S*)?$", link)):
        return ""
    scheme, host, path = (found[1] or "http").lower(), found[2], found[3] or "/"
    name = host.rpartition("@")[2].split(":")[0]
    if ("." not in name and name != "localhost") or name.endswith("."):
        return ""
    return f"{scheme}://{host}{path if path.startswith('/') else '/' + path if path[0] in '?#' else path}"


def sort_entities(entities: list[Entity]) -> list[Entity]:
    """Sort by offset, longer entities first."""
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Return the plain text and entities of an HTML text. Raises ApiError (400)."""
    text, entities = HtmlReader(source).read()
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return text, entities


def automatic_entities(text: str, taken: list[Entity]) -> list[Entity]:
    """Find unmarked links, mentions, commands and hashtags outside code and links."""
    spans = [(e["offset"], e["offset"] + e["length"]) for e in taken if e["type"] in OPAQUE]
    found: list[Entity] = []
    for kind, pattern in AUTOMATIC:
        for hit in pattern.finditer(text):
            offset, length = utf16_length(text[: hit.start()]), utf16_length(hit[0])
            if all(offset >= end or offset + length <= begin for begin, end in spans):
                spans.append((offset, offset + length))
                found.append({"type": kind, "offset": offset, "length": length})
    return found


def tidy(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Remove control characters, trim white space at both ends, shift offsets, keep at most 100 entities."""
    kept: list[str] = []
    moved = [0]  # old UTF-16 offset -> new offset
    position = 0
    for char in text:
        new = char.translate(CLEANED)
        if new.isspace() and not kept:
            new = ""
        kept.append(new) if new else None
        position += utf16_length(new)
        moved.extend([position] * utf16_length(char))
    clean = "".join(kept).rstrip()
    size = utf16_length(clean)
    result: list[Entity] = []
    for entity in entities:
        begin = moved[min(entity["offset"], len(moved) - 1)]
        end = min(moved[min(entity["offset"] + entity["length"], len(moved) - 1)], size)
        if end > begin:
            result.append(entity | {"offset": begin, "length": end - begin})
    result = _merged(sort_entities(result))
    return clean, sort_entities(result + automatic_entities(clean, result))[:MAX_ENTITIES]


def _merged(entities: list[Entity]) -> list[Entity]:
    """Merge adjacent and nested entities of the same plain style."""
    last: dict[str, Entity] = {}
    result: list[Entity] = []
    for entity in entities:
        before = last.get(entity["type"])
        if entity["type"] in set(PLAIN_TAGS.values()):
            if before and entity["offset"] <= before["offset"] + before["length"]:
                end = max(before["offset"] + before["length"], entity["offset"] + entity["length"])
                before["length"] = end - before["offset"]
                continue
            last[entity["type"]] = entity
        result.append(entity)
    return result
