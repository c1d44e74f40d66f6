"""The results of a group as a spreadsheet: for its hosts, in private, in their language."""

import csv
import io

import pytest

from play import exports
from play.exports import COLUMNS
from play.zones import TIME_ZONE
from tests.handlers.room import ANN, BEN, GROUP, HOST, OTHER_GROUP, Room, as_shown, text, user


def table(content: bytes, separator: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator))


async def test_the_list_of_ended_games_has_the_button_for_hosts_alone(room: Room) -> None:
    await room.play()
    await room.sent()
    for person, shown in ((HOST, True), (ANN, False)):
        await room.say("/history", by=person)
        (answer,) = await room.sent()
        rows = answer.params.get("reply_markup", {}).get("inline_keyboard", [])
        links = [button["url"] for row in rows for button in row if "url" in button]
        assert [link.endswith(f"?start=csv_{GROUP}") for link in links] == [True] * shown
    await room.say("/history", by=HOST, chat=HOST)
    assert "csv_" not in str((await room.sent())[0].params)


@pytest.mark.parametrize(("language", "separator"), [("en", ","), ("ru", ";"), ("es", ";")])
async def test_a_host_gets_the_results_as_their_spreadsheets_expect_them(
    room: Room, language: str, separator: str
) -> None:
    game_id = await room.play()
    await room.pool.execute("UPDATE game_participants SET name = '=1+1' WHERE player_id = $1", BEN)
    await room.pool.execute("UPDATE game_participants SET prize = 12.5 WHERE player_id = $1", BEN)
    await room.deps.stores.people.change_settings(GROUP, {TIME_ZONE: "Asia/Tokyo"})
    said = room.message(f"/start csv_{GROUP}", by=HOST, chat=HOST)
    await room.update(message={**said, "from": {**user(HOST), "language_code": language}})
    ((name, content),) = room.telegram.uploads
    rows = table(content, separator)
    assert name.endswith(".csv")
    assert list(rows[0]) == [text(f"results-column-{column}", language) for column in COLUMNS]
    by_player = {row[text("results-column-player", language)]: row for row in rows}
    assert by_player.keys() == {str(ANN), str(BEN)}
    ben = by_player[str(BEN)]
    assert ben[text("results-column-name", language)] == "'=1+1", "no cell can run as a formula"
    assert ben[text("results-column-prize", language)] == ("12.5" if separator == "," else "12,5")
    assert ben[text("results-column-game", language)] == game_id
    (sent,) = room.telegram.named("sendDocument")
    assert sent["chat_id"] == HOST
    assert as_shown("results-year", language, rows=2) in sent["caption"]


async def test_nobody_else_gets_them(room: Room) -> None:
    await room.play()
    await room.sent()
    await room.say(f"/start csv_{GROUP}", chat=ANN)
    assert await room.answer() == text("rejected-not-a-host")
    await room.say(f"/start csv_{OTHER_GROUP}", by=HOST, chat=HOST)
    assert await room.answer() == text("rejected-not-a-host")
    for payload in ("csv_", "csv_x", "csv_0", f"csv_-{2**80}"):
        await room.say(f"/start {payload}", by=HOST, chat=HOST)
        assert await room.answer() == text("dlg-stale")
    assert not room.telegram.uploads


async def test_a_file_has_the_newest_rows_and_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "HOSTS_ROWS", 1)
    await room.play()
    await room.say(f"/start csv_{GROUP}", by=HOST, chat=HOST)
    ((_, content),) = room.telegram.uploads
    assert len(table(content, ",")) == 1
    (sent,) = room.telegram.named("sendDocument")
    assert as_shown("results-newest", rows=1) in sent["caption"]


async def test_without_results_of_the_last_year_there_is_no_file(room: Room) -> None:
    await room.play()
    await room.sent()
    room.clock.turn(exports.HOSTS_TIME.total_seconds() + 1)
    await room.say(f"/start csv_{GROUP}", by=HOST, chat=HOST)
    assert await room.answer() == text("results-none")
    assert not room.telegram.uploads


async def test_an_export_in_small_pages_has_every_participant_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await room.play()
    archive = room.deps.stores.archive.uncached
    whole = [page async for page in exports.results(archive, GROUP)]
    for size in (1, 2, 3, 4):
        monkeypatch.setattr(exports, "ROWS_A_READ", size)
        pages = [page async for page in exports.results(archive, GROUP)]
        assert [row for page in pages for row in page] == [row for page in whole for row in page]
        assert max(len(page) for page in pages) <= size
    assert len(whole) == 1
    assert len({row.game_id for row in whole[0]}) == 3
