"""Views of every phase: valid, within limits, free of secrets, and deterministic."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from fsm.kind import PlayerId
from fsm.lobby import Leave, StartNow
from fsm.pick_number import DRAWING, KIND, NUMBER_SELECTION, PickNumber, PickNumberGame
from fsm.registry import KINDS
from handlers.kinds import registry
from handlers.kinds.pick_number import view as pick_number
from handlers.views.message import Button, Message, edit_params, send_params
from play.texts import Texts
from sandbox.entities import automatic_entities, parse_html, utf16_length
from tests.handlers.games import all_games, do, due, every_phase, opened, playing, with_beacon
from tests.support.games import CHAT
from tests.support.spec import SEED

GAMES = all_games()
OVER = {"completed", "cancelled"}


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts()


def everything(state: PickNumberGame, texts: Texts, locale: str) -> Iterator[Message]:
    """Yield every view of a game."""
    view = registry.of_state(state)
    yield view.board(state, texts, locale, bot_username="tombola_bot")
    for page in (0, view.pages(state) - 1, 10_000)[: min(3, view.pages(state))]:
        yield view.own_board(state, 1, texts, locale, page)
    for player in (*list(state.players)[:2], *list(state.players)[-1:], 424242):
        yield view.own_board(state, player, texts, locale)
    yield view.proof_summary(state, texts, locale)
    yield view.rules(texts, locale)


def buttons(message: Message) -> list[Button]:
    return [button for row in message.keyboard for button in row]


def by_data(message: Message, pattern: str) -> list[Button]:
    return [button for button in buttons(message) if button.data and re.fullmatch(pattern, button.data)]


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_telegram_takes_every_message(texts: Texts, locale: str) -> None:
    for state in GAMES:
        for message in everything(state, texts, locale):
            text, entities = parse_html(message.text)
            assert 1 <= utf16_length(text) <= 4096
            found = automatic_entities(text, entities)
            assert len(entities) + len(found) <= 100
            assert {entity["type"] for entity in found} <= {"bot_command"}, found
            assert len(message.text.encode()) < 32_768
            check_keyboard(message)
    assert not texts.missing


def check_keyboard(message: Message) -> None:
    assert all(1 <= len(row) <= 8 for row in message.keyboard)
    assert len(buttons(message)) <= 100
    for button in buttons(message):
        assert button.text.strip()
        assert (button.data is not None) + (button.url is not None) + button.disabled == 1
        assert button.data is None or 1 <= len(button.data.encode()) <= 64
        assert button.url is None or re.fullmatch(
            r"https://t\.me/(tombola_bot\?start=[\w-]{1,64}|share/url\?url=[\w%.+-]+&text=[\w%.+*~-]+)", button.url
        )
    params = send_params(message, CHAT)
    assert len(json.dumps(params.get("reply_markup", {})).encode()) < 10_240
    assert msgspec.json.decode(msgspec.json.encode(params)) == params  # the encoder that the outbox uses


def test_no_output_holds_the_seed_before_the_end(texts: Texts) -> None:
    for state in GAMES:
        shown = [message.text + str(message.keyboard) for message in everything(state, texts, "en")]
        if state.phase not in OVER:
            assert not any(SEED in output for output in shown)
            assert state.commitment is None or any(state.commitment in output for output in shown)
    assert any(SEED in registry.of_state(g).proof_summary(g, texts, "en").text for g in GAMES if g.phase == "completed")


def test_a_draw_is_shown_no_further_than_it_has_come(texts: Texts) -> None:
    states = [state for state in every_phase(12, numbers=100, winners=5) if state.phase == DRAWING]
    for state in states:
        assert state.drawn is not None
        hidden = replace(state, drawn=(*state.drawn[: state.shown], *reversed(state.drawn[state.shown :])))
        assert pick_number.board(hidden, texts, "en") == pick_number.board(state, texts, "en")


def test_the_same_state_gives_the_same_bytes(texts: Texts) -> None:
    other = Texts()
    for state in GAMES:
        first = [send_params(message, CHAT) for message in everything(state, texts, "ru")]
        assert first == [send_params(message, CHAT) for message in everything(state, other, "ru")]


# -- the lobby --------------------------------------------------------------------------------------------------


def test_the_lobby_says_who_is_there_what_is_missing_and_what_there_is_to_win(texts: Texts) -> None:
    state = every_phase(2, ("Ann", "Bob"), winners=2, prize_pool=Decimal(1000), missing=2)[1]
    message = pick_number.board(state, texts, "en")
    for part in ("Ann", "1 of 1,000", "One more player", "1,000", "500", 'format="r"', "Opened by"):
        assert part in message.text


def test_start_is_offered_when_enough_have_joined(texts: Texts) -> None:
    alone, ready = every_phase(2, ("Ann", "Bob"), missing=2)[1:3]
    assert not by_data(pick_number.board(alone, texts, "en"), "s:.*")
    assert by_data(pick_number.board(ready, texts, "en"), "s:.*")


def test_buttons_are_those_that_the_phase_table_permits(texts: Texts) -> None:
    commands = {"j": "Join", "l": "Leave", "s": "StartNow", "e": "Extend", "x": "Cancel", "p": "PickNumber"}
    for state in GAMES:
        machine = registry.of_state(state).kind.machine
        legal = {trigger for source, trigger, _ in machine.edges if source == state.phase}
        for button in buttons(pick_number.board(state, texts, "en")):
            verb = (button.data or "").partition(":")[0]
            if verb in commands:
                assert re.sub(r"(?<!^)(?=[A-Z])", "-", commands[verb]).lower() in legal


def test_a_game_without_a_title_goes_by_its_kinds_name(texts: Texts) -> None:
    assert "Pick Your Number" in pick_number.board(opened(title=""), texts, "en").text


# -- selection --------------------------------------------------------------------------------------------------


def test_taken_numbers_look_different_from_free_ones(texts: Texts) -> None:
    state = do(playing(3), PickNumber(1, 7))
    board = pick_number.board(state, texts, "en")
    (seven,) = (button for button in buttons(board) if button.disabled)
    (eight,) = by_data(board, "p:[^:]+:8")
    assert seven == Button("✕ 7", disabled=True)
    assert eight.text == "8"
    assert seven.json() == {"text": "✕ 7", "disabled": {}}


def test_the_board_says_who_has_which_number_and_who_is_missing(texts: Texts) -> None:
    text = (
        pick_number.board(do(playing(3), PickNumber(1, 7)), texts, "en")
        .text.replace("\u2068", "")
        .replace("\u2069", "")
    )
    assert "Ann (7)" in text
    assert "Still thinking: Bob, Cy" in text


def test_the_groups_board_has_up_to_thirty_numbers_and_a_button_to_the_own_board_beyond(texts: Texts) -> None:
    small = pick_number.board(playing(3, numbers=30), texts, "en", bot_username="tombola_bot")
    assert len(by_data(small, "p:.*")) == 30
    large = pick_number.board(do(playing(3, numbers=31), PickNumber(1, 7)), texts, "en", bot_username="tombola_bot")
    assert not by_data(large, "p:.*")
    assert by_data(large, "o:.*:pick")
    assert "Picked: <b>1</b> of 3" in large.text
    assert "Still thinking" in large.text
    assert "(7)" not in large.text


@pytest.mark.parametrize("count", [2, 20, 100])
def test_no_message_of_a_game_is_taller_than_a_phone(texts: Texts, count: int) -> None:
    """A phone of 390 x 844 shows about 24 lines of 36 characters above the field for writing."""
    for locale in texts.LOCALES:
        for state in every_phase(count, [f"Константин {number}" for number in range(100)], winners=3, mode="reverse"):
            message = pick_number.board(state, texts, locale, bot_username="tombola_bot")
            shown, _ = parse_html(re.sub(r"<blockquote expandable>.*</blockquote>", "…", message.text, flags=re.DOTALL))
            lines = sum(max(1, -(-len(line) // 36)) for line in shown.split("\n"))
            assert lines + 2 * len(message.keyboard) <= 30, (state.phase, lines, len(message.keyboard))


def test_a_small_range_has_one_page_and_a_large_one_has_all_its_numbers_once(texts: Texts) -> None:
    assert pick_number.pages(playing(3)) == 1
    state = playing(3, numbers=10_000)
    count = pick_number.pages(state)
    assert count == 400
    found: list[str] = []
    for page in range(count):
        found += [b.data or "" for b in by_data(pick_number.own_board(state, 1, texts, "en", page), "p:.*")]
    assert found == [f"p:{state.id}:{number}" for number in range(1, 10_001)]


def test_turning_leads_everywhere_and_around_the_ends(texts: Texts) -> None:
    state = playing(3, numbers=10_000)
    reached, steps, edge = {0}, 0, {0}
    while edge:
        targets = {int((b.data or "").rsplit(":", 1)[1]) for page in edge for b in _turns(state, page, texts)}
        edge = targets - reached
        reached |= edge
        steps += bool(edge)
    assert len(reached) == 400
    assert steps <= 20


def _turns(state: PickNumberGame, page: int, texts: Texts) -> list[Button]:
    return by_data(pick_number.own_board(state, 1, texts, "en", page), r"b:[^:]+:\d+")


def test_the_turning_row_keeps_its_shape_on_every_page(texts: Texts) -> None:
    state = playing(3, numbers=300)
    shapes = {len(_turns(state, page, texts)) for page in range(pick_number.pages(state))}
    assert shapes == {4}


# -- the draw and the result ------------------------------------------------------------------------------------


def test_the_label_between_the_arrows_fits_where_there_are_five_to_a_row(texts: Texts) -> None:
    state = playing(3, numbers=1000)
    for page in range(pick_number.pages(state)):
        board = pick_number.own_board(state, 1, texts, "en", page)
        row = next(row for row in board.keyboard if row[0].text == "«")
        assert max(len(button.text) for button in row) <= 7


def test_while_the_beacon_is_awaited_the_board_says_so(texts: Texts) -> None:
    state = next(state for state in with_beacon() if state.phase == DRAWING and state.drawn is None)
    assert str(state.beacon_round) in pick_number.board(state, texts, "en").text
    assert str(state.beacon_round) in pick_number.board(state, texts, "ru").text


def test_reverse_mode_says_who_is_out_and_who_is_standing(texts: Texts) -> None:
    state = next(s for s in every_phase(4, ("Ann", "Bob", "Cy", "Dee"), mode="reverse", missing=0) if s.shown)
    text = pick_number.board(state, texts, "en").text
    assert "Out (1)" in text
    assert "Standing (3)" in text


def test_the_result_has_the_winners_first_then_prizes_and_folds_the_rest(texts: Texts) -> None:
    state = every_phase(5, ("Ann", "Bob", "Cy"), winners=2, prize_pool=Decimal("100.01"), missing=0)[-1]
    message = pick_number.board(state, texts, "en")
    for standing in state.standings[:2]:
        assert f"tg://user?id={standing.player_id}" in message.text
        assert texts.number("en", standing.prize) in message.text
    assert SEED not in message.text, "the seed is behind the button"
    shown, _, folded = message.text.partition("<blockquote expandable>")
    for other in state.standings[2:]:
        assert other.name in folded
        assert f"{other.name}\u2069 (" not in shown
    assert by_data(message, "r:.*")
    assert by_data(message, "f:.*")


def test_a_cancelled_game_says_why(texts: Texts) -> None:
    expired = due(opened())
    assert "Not enough players" in pick_number.board(expired, texts, "en").text
    forced = next(state for state in every_phase(3) if state.phase == "cancelled")
    assert "<operator>" not in pick_number.board(forced, texts, "en").text


# -- a player's own board ---------------------------------------------------------------------------------------


def own(state: PickNumberGame, player: PlayerId, texts: Texts) -> Message:
    return pick_number.own_board(state, player, texts, "en")


def test_the_own_board_opens_where_the_own_number_is_and_marks_it(texts: Texts) -> None:
    state = do(playing(3, numbers=500), PickNumber(1, 333))
    message = own(state, 1, texts)
    (mine,) = by_data(message, "p:[^:]+:333")
    assert mine.style == "success"
    (theirs,) = by_data(own(state, 2, texts), "p:[^:]+:1")
    assert theirs.style is None
    assert not any(b.style for b in buttons(own(state, 2, texts)))


def test_without_a_number_the_own_board_opens_at_the_first_free_one(texts: Texts) -> None:
    for picks in ("open", "secret"):
        state = playing(30, numbers=500, picks=picks)
        for player in range(1, 26):
            state = do(state, PickNumber(player, player))
        assert by_data(own(state, 30, texts), "p:[^:]+:26")


def test_the_own_board_turns_its_own_pages(texts: Texts) -> None:
    state = playing(3, numbers=500)
    message = pick_number.own_board(state, 1, texts, "en", 3)
    assert by_data(message, "p:[^:]+:76")
    assert by_data(message, r"b:[^:]+:\d+")


def test_secret_picks_show_no_owner_on_any_board_until_picking_closes(texts: Texts) -> None:
    state = playing(3, picks="secret")
    for player, number in ((2, 9), (1, 7)):
        state = do(state, PickNumber(player, number))
    for viewer in (1, 3, None):
        seen = KIND.view(state, viewer)
        # Either the taken numbers or the pickers: with both, two views in a row would pair a player with a number.
        assert list(seen.owners.items()) == {None: [], 1: [(7, 1), (9, 0)], 3: [(7, 0), (9, 0)]}[viewer]
        assert list(seen.picks.items()) == {None: [(1, 0), (2, 0)], 1: [(1, 7)], 3: []}[viewer]
    board = pick_number.board(state, texts, "en")
    assert "Picked: <b>2</b> of 3" in board.text
    assert not re.search(r"\(\d", board.text)
    assert not by_data(board, "p:.*")
    assert [b.text for b in buttons(own(state, 1, texts)) if b.disabled] == ["✕ 9"]
    assert "7" in str(pick_number.own_line(state, 1, texts, "en"))
    closed = do(state, PickNumber(3, 1))
    assert closed.phase == DRAWING
    assert dict(KIND.view(closed, None).owners) == {9: 2, 7: 1, 1: 3}


def test_an_own_board_names_an_end_that_stays_true_and_tells_the_result(texts: Texts) -> None:
    assert 'format="T"' in own(playing(3), 1, texts).text
    *_, over = every_phase(3, ("Ann", "Bob", "Cy"), missing=0)
    for player in (1, 2, 3):
        assert "🥇" in own(over, player, texts).text
        assert "tg-time" not in own(over, player, texts).text


def test_who_is_not_in_the_game_gets_no_buttons(texts: Texts) -> None:
    for state in GAMES:
        assert not own(state, 424242, texts).keyboard


def test_the_own_board_tells_each_player_how_they_came_out(texts: Texts) -> None:
    state = every_phase(5, ("Ann", "Bob", "Cy"), winners=1, prize_pool=Decimal(50), missing=1)[-1]
    winner = state.standings[0]
    assert "50" in own(state, winner.player_id, texts).text
    assert "no number" in own(state, 5, texts).text
    loser = next(s for s in state.standings if s.place is None and s.number is not None)
    assert str(loser.number) in own(state, loser.player_id, texts).text


def test_a_proof_summary_fits_a_caption(texts: Texts) -> None:
    for locale in texts.LOCALES:
        for state in GAMES:
            text, _ = parse_html(pick_number.proof_summary(state, texts, locale).text)
            assert utf16_length(text) <= 1024


def test_every_kind_has_a_view() -> None:
    assert registry.FACES.keys() == KINDS.keys()
    assert all(registry.FACES[name].kind is kind for name, kind in KINDS.items())


# -- as parameters ----------------------------------------------------------------------------------------------


def test_a_message_becomes_parameters_of_the_bot_api() -> None:
    message = Message("<b>x</b>", ((Button("a", "j:1", style="primary"), Button("b", url="https://t.me/x")),))
    sent = send_params(message, -5, 9)
    assert sent["chat_id"] == -5
    assert sent["message_thread_id"] == 9
    assert sent["parse_mode"] == "HTML"
    assert sent["link_preview_options"] == {"is_disabled": True}
    assert sent["reply_markup"]["inline_keyboard"][0] == [
        {"text": "a", "callback_data": "j:1", "style": "primary"},
        {"text": "b", "url": "https://t.me/x"},
    ]
    assert "chat_id" not in send_params(message)
    assert edit_params(message, -5, 3)["message_id"] == 3
    assert "reply_markup" not in send_params(Message("x"))


def test_leaving_takes_a_name_off_the_list(texts: Texts) -> None:
    state = every_phase(2, ("Ann", "Zoe"), missing=2)[2]  # Zoe is also the host
    assert pick_number.board(state, texts, "en").text.count("Zoe") == 2
    assert pick_number.board(do(state, Leave(2)), texts, "en").text.count("Zoe") == 1


def test_the_first_board_has_nobody_on_it(texts: Texts) -> None:
    state = playing(2)
    assert state.phase == NUMBER_SELECTION
    assert "Picked: <b>0</b> of 2" in pick_number.board(state, texts, "en").text
    with pytest.raises(Exception, match="not-now"):
        do(state, StartNow(1))
