"""Telegram's HTML, entities and the clean-up of texts."""

from typing import Any

import pytest

from sandbox.entities import checked_url, parse_html, tidy
from sandbox.errors import ApiError


def spans(source: str) -> list[tuple[str, int, int]]:
    return [(e["type"], e["offset"], e["length"]) for e in parse_html(source)[1]]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>bold</b> and <i>it</i>", "bold and it", [("bold", 0, 4), ("italic", 9, 2)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("🎱<b>x</b>", "🎱x", [("bold", 2, 1)]),
        ("&lt;b&gt; &amp; &quot; &#39; &#x1F3B1;", "<b> & \" ' 🎱", []),
        ("&nbsp; & co", "&nbsp; & co", []),
        ("<b></b>x", "x", []),
        ("<B>x</B>", "x", [("bold", 0, 1)]),
        ("<b>x</>", "x", [("bold", 0, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ("<blockquote>x</blockquote>", "x", [("blockquote", 0, 1)]),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    assert parse_html(source)[0] == text
    assert spans(source) == entities


@pytest.mark.parametrize(
    ("source", "entity"),
    [
        ('<a href="https://a.b/c?d=1&amp;e=2">x</a>', {"type": "text_link", "url": "https://a.b/c?d=1&e=2"}),
        ("<a>example.org</a>", {"type": "text_link", "url": "http://example.org/"}),
        ('<a href="tg://user?id=7">x</a>', {"type": "text_mention", "user_id": 7}),
        ('<pre><code class="language-python">x</code></pre>', {"type": "pre", "language": "python"}),
        ('<code class="language-python">x</code>', {"type": "code"}),
        ('<tg-emoji emoji-id="5368324170671202286">x</tg-emoji>', {"custom_emoji_id": "5368324170671202286"}),
        ('<tg-time unix="1700000000" format="r">x</tg-time>', {"unix_time": 1700000000, "date_time_format": "r"}),
        ('<tg-time unix="1700000000" format="wDT">x</tg-time>', {"type": "date_time", "date_time_format": "wDT"}),
        ('<tg-time unix="1700000000">x</tg-time>', {"type": "date_time", "unix_time": 1700000000}),
    ],
)
def test_a_tag_carries_its_argument(source: str, entity: dict[str, Any]) -> None:
    [found] = parse_html(source)[1]
    assert entity.items() <= found.items()
    if found["type"] == "code":
        assert "language" not in found


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("Eve <3 & co", 'Unsupported start tag "3" at byte offset 4'),
        ("ы<div>x</div>", 'Unsupported start tag "div" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ("<a =x>x</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=a/b>x</a>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="no">x</tg-emoji>', "Invalid custom emoji identifier specified"),
        ('<tg-time unix="1" format="rt">x</tg-time>', "Invalid date format specified"),
        ('<tg-time format="r">x</tg-time>', "Invalid date identifier specified"),
    ],
)
def test_wrong_html_is_refused_in_the_servers_words(source: str, fault: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parse_html(source)
    assert refusal.value.description == f"Bad Request: can't parse entities: {fault}"


def test_a_text_is_trimmed_and_its_entities_move_along() -> None:
    text, entities = tidy(" \n x\u202ey\r ", [{"type": "bold", "offset": 0, "length": 7}])
    assert (text, entities) == ("xy", [{"type": "bold", "offset": 0, "length": 2}])


def test_only_a_hundred_entities_are_kept() -> None:
    marks = [{"type": "bold", "offset": 2 * index, "length": 1} for index in range(150)]
    assert len(tidy("x " * 150, marks)[1]) == 100


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("/start@tombola_bot now", ["bot_command"]),
        ("a/b and </b>", []),
        ("see https://a.b/c, ok", ["url"]),
        ("@ann_archer #tag x@y.org", ["mention", "hashtag", "email"]),
    ],
)
def test_commands_links_and_mentions_are_found_unmarked(text: str, kinds: list[str]) -> None:
    assert [entity["type"] for entity in tidy(text, [])[1]] == kinds


def test_nothing_is_found_inside_code() -> None:
    assert [e["type"] for e in tidy("/start", [{"type": "code", "offset": 0, "length": 6}])[1]] == ["code"]


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("t.me/tombola_bot?start=x", "http://t.me/tombola_bot?start=x"),
        ("https://a.b?c", "https://a.b/?c"),
        ("javascript:alert(1)", ""),
        ("nowhere", ""),
        ("tg://resolve?domain=x", "tg://resolve?domain=x"),
    ],
)
def test_addresses_are_kept_as_the_server_does(link: str, kept: str) -> None:
    assert checked_url(link) == kept
