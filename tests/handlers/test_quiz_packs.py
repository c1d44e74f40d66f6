"""Packs of questions in the private chat, and quizzes opened by command and dialog, on real stores."""

import asyncio
import json
from typing import Any

import pytest

from fsm.kind import ChatTopic
from fsm.quiz import QuizGame
from questions.isolation import MOST_WAITING, FileReader
from questions.pack_reader import read_pack
from questions.pack_writer import write_pack
from questions.packs import PackRefused, Vocabulary
from tests.handlers.room import ANN, BOT_ID, GROUP, HOST, Room, as_shown, plain, text
from tests.handlers.test_dialogs import answer_it, buttons, open_all, open_settings, press, window
from tests.questions.files import corpus

CSV = """question,answer,wrong1,wrong2,wrong3,category,difficulty
Which river flows through Cologne?,Rhine,Elbe,Danube,Main,rivers,easy
Which river flows through Vienna?,Danube,Inn,Drava,Sava,rivers,medium
What is the <b>capital</b> of Chile?,Santiago,Lima,,,capitals,hard
"""


async def upload(room: Room, name: str, content: bytes, *, by: int = ANN, chat: int = ANN) -> None:
    """Send a document."""
    file_id = room.telegram.world.add_file("document", name, "application/octet-stream", content).id
    document = {"file_id": file_id, "file_unique_id": file_id, "file_name": name, "file_size": len(content)}
    await room.say(None, by=by, chat=chat, document=document)


async def previews(room: Room) -> list[dict[str, Any]]:
    """Return the messages that answered files, as Telegram includes them in a tap: with the answered file."""
    shown: list[dict[str, Any]] = []
    for outgoing in await room.sent():
        sent = dict(outgoing.params)
        to = sent.get("reply_parameters", {}).get("message_id")
        file = next((said for said in room.said if said["message_id"] == to), None)
        shown.append({
            "message_id": next(room.ids), "date": 0, "from": {"id": BOT_ID, "is_bot": True, "first_name": "Tombola"},
            "chat": {"id": outgoing.chat_id, "type": "private"}, "text": sent["text"],
            **({"reply_markup": sent["reply_markup"]} if "reply_markup" in sent else {}),
            **({"reply_to_message": file} if file else {}),
        })  # fmt: skip
    return shown


async def decide(room: Room, words: str, preview: dict[str, Any], *, by: int = ANN) -> None:
    """Press a button below a preview."""
    await room.tap(buttons(preview)[plain(words)], preview, by=by)


async def kept(room: Room, by: int = ANN) -> Any:
    """Return a pack that a person has sent and saved."""
    await upload(room, "Rivers & co.csv", CSV.encode(), by=by, chat=by)
    (preview,) = await previews(room)
    await decide(room, text("pack-save"), preview, by=by)
    await room.sent()
    (pack,) = await room.deps.stores.questions.packs(by)
    await room.say("/pack", by=by, chat=by)
    return pack


async def tap(room: Room, words: str, *, by: int = ANN) -> None:
    """Press a button of the newest window."""
    shown = room.telegram.windows()[-1]
    await room.tap(buttons(shown)[plain(words)], shown, by=by)


def newest(room: Room) -> str:
    return plain(room.telegram.windows()[-1]["text"])


async def quiz_of(room: Room) -> QuizGame:
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    state = await room.state(game_id)
    assert isinstance(state, QuizGame)
    return state


# -- files ------------------------------------------------------------------------------------------------------


async def test_a_file_is_looked_at_kept_and_listed(room: Room) -> None:
    await room.say("/pack", by=ANN, chat=ANN)
    assert as_shown("pack-list", count=0, columns="x").split("\n")[0] in newest(room)
    await upload(room, "Rivers & co.csv", CSV.encode())
    (preview,) = await previews(room)
    assert text("pack-preview", name="Rivers & co", count=3) in plain(preview["text"])
    assert "&lt;b&gt;capital&lt;/b&gt;" in plain(preview["text"])
    assert await room.deps.stores.questions.packs(ANN) == [], "nothing is kept before it is wanted"
    await decide(room, text("pack-save"), preview)
    assert text("pack-saved", name="Rivers & co") in plain(await room.answer())
    (pack,) = await room.deps.stores.questions.packs(ANN)
    assert (pack.name, pack.size) == ("Rivers & co", 3)
    await room.say("/pack", by=ANN, chat=ANN)
    assert "Rivers & co (3)" in buttons(room.telegram.windows()[-1])
    assert room.errors == []


async def test_what_is_not_wanted_is_not_kept(room: Room) -> None:
    await upload(room, "x.csv", CSV.encode())
    (preview,) = await previews(room)
    await decide(room, text("pack-discard"), preview)
    assert text("pack-discarded") in await room.answer()
    assert await room.deps.stores.questions.packs(ANN) == []


async def test_two_files_sent_at_once_are_answered_in_turn_and_both_previews_keep_their_buttons(room: Room) -> None:
    other = CSV.replace("river", "stream")
    await asyncio.gather(upload(room, "One.csv", CSV.encode()), upload(room, "Two.csv", other.encode()))
    shown = await previews(room)
    assert len(shown) == 2
    for preview in shown:
        assert set(buttons(preview)) == {text("pack-save"), text("pack-discard")}
    for preview, name in zip(reversed(shown), ("Two", "One"), strict=True):
        await decide(room, text("pack-save"), preview)
        assert text("pack-saved", name=name) in plain(await room.answer()), "the answer says which one is kept"
    assert [pack.name for pack in await room.deps.stores.questions.packs(ANN)] == ["One", "Two"]
    await decide(room, text("pack-save"), shown[0])
    assert text("pack-name-taken") in (room.toasts()[-1] or "")
    assert room.errors == []


async def test_a_person_who_is_banned_everywhere_can_neither_send_nor_keep_packs(room: Room) -> None:
    await upload(room, "x.csv", CSV.encode())
    (preview,) = await previews(room)
    await room.say("/pack", by=ANN, chat=ANN)
    await room.deps.stores.people.ban(0, ANN, HOST, "")
    await decide(room, text("pack-save"), preview)
    await room.sent()
    await upload(room, "y.csv", CSV.encode())
    assert await previews(room) == [] or not any("reply_markup" in each for each in await previews(room))
    assert await room.deps.stores.questions.packs(ANN) == []
    assert room.errors == []


async def test_a_preview_lists_everything_that_could_not_be_taken_over(room: Room) -> None:
    text_ = "Question,Option 1,Option 2,Time,Type,Correct\nWhich?,a,b,20,,1\nWhy?,c,d,20,Open-Ended,1\n"
    await upload(room, "kahoot.csv", text_.encode())
    (preview,) = await previews(room)
    assert text("pack-notes-head") in plain(preview["text"])
    assert (
        f"{text('pack-note-other-types', count=1)} {text('pack-note-where', by='line', lines='3', count=1)}"
        in plain(preview["text"])
    )
    assert text("pack-note-times", count=1) in plain(preview["text"])


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("way", ["command", "button"])
async def test_a_sample_file_is_given_and_is_a_pack(room: Room, way: str, form: str) -> None:
    if way == "command":
        await room.say("/pack sample" if form == "xlsx" else "/pack sample CSV", by=ANN, chat=ANN)
    else:
        await room.say("/pack", by=ANN, chat=ANN)
        await tap(room, text("pack-sample", form=form.upper()))
    ((name, content),) = room.telegram.uploads
    assert name == f"tombola.{form}"
    await upload(room, name, content)
    (preview,) = await previews(room)
    assert "Mercury" in preview["text"]
    assert text("pack-notes-head") not in plain(preview["text"])
    assert room.errors == []


async def test_more_files_of_one_person_than_can_wait_are_refused_in_words(room: Room) -> None:
    held = [room.deps.files.turn(ANN) for _ in range(MOST_WAITING)]
    tasks = [asyncio.ensure_future(turn.__aenter__()) for turn in held]
    await asyncio.sleep(0)
    await upload(room, "x.csv", CSV.encode())
    assert await room.answer() == text("pack-busy")
    await upload(room, "x.csv", CSV.encode(), by=HOST, chat=HOST)
    assert len(await previews(room)) == 1, "another person does not wait"
    for turn, task in zip(held, tasks, strict=True):
        await task
        await turn.__aexit__(None, None, None)


async def test_a_file_that_kills_its_reader_is_refused_and_the_bot_goes_on(room: Room) -> None:
    await upload(room, "x.json", b'[{"question":' + b"[" * 1_000_000)
    assert text("pack-mistake-strange-json") in await room.answer()
    with pytest.raises(PackRefused) as caught:
        await FileReader(program=("-c", "import os; os.abort()")).read(b"x", "x.csv", Vocabulary())
    assert [mistake.code for mistake in caught.value.mistakes] == ["too-complex"]
    with pytest.raises(PackRefused):
        await FileReader(program=("-c", "while True: pass"), seconds=0.3).read(b"x", "x.csv", Vocabulary())


async def test_a_file_with_mistakes_is_refused_whole_with_lines_and_how_to_mend_them(room: Room) -> None:
    await upload(room, "bad.csv", b"question,answer,wrong1,difficulty\nWhat?,,No,easy\nWhy?,Yes,Yes,terrible\n")
    said = await room.answer()
    assert text("pack-refused", name="bad.csv", count=3) in said
    assert "Line 2:" in said
    assert "Line 3:" in said
    assert "easy" in said
    assert await room.deps.stores.questions.packs(ANN) == []
    assert room.telegram.windows() == []


async def test_of_bad_files_nothing_is_kept_and_each_is_answered_once_with_how_to_mend_it(room: Room) -> None:
    for _, name, content in corpus(2026, 24):
        room.clock.at += 5_000
        await upload(room, name, content)
        said = await room.answer()
        assert said.startswith("❌"), said
        assert len(said.rstrip(".").split(". ")) > 1 or len(said.splitlines()) >= 3, "what is wrong, and how to mend it"
        assert room.telegram.windows() == [], "there is nothing to keep"
    assert await room.pool.fetchval("SELECT count(*) FROM question_packs") == 0
    assert await room.pool.fetchval("SELECT count(*) FROM pack_questions") == 0
    assert room.errors == []


async def test_hundreds_of_mistakes_fit_one_message(room: Room) -> None:
    rows = "\n".join(f"{'x' * 400},{'<' * 200},{'&' * 200}" for _ in range(400))
    await upload(room, "<b>.csv", f"question,answer,wrong1\n{rows}".encode())
    assert len(await room.answer()) < 8_000
    assert room.errors == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("x.exe", b"MZ whatever", "pack-mistake-unknown-format"), ("x.csv", b"", "pack-mistake-empty-file")],
)
async def test_what_is_no_pack_is_said(room: Room, name: str, content: bytes, said: str) -> None:
    await upload(room, name, content)
    assert text(said) in await room.answer()


async def test_a_file_that_is_too_large_is_not_even_loaded(room: Room) -> None:
    document = {"file_id": "f", "file_unique_id": "f", "file_name": "big.csv", "file_size": 30_000_000}
    await room.say(None, by=ANN, chat=ANN, document=document)
    assert text("pack-too-big", name="big.csv", limit=1024) in await room.answer()


async def test_a_file_in_a_group_is_nobodys_business(room: Room) -> None:
    await upload(room, "x.csv", CSV.encode(), chat=GROUP)
    assert await room.sent() == []
    assert room.telegram.windows() == []
    await room.say("/pack", by=ANN, chat=GROUP)
    assert await room.answer() == text("pack-in-private")


# -- a pack -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
async def test_a_pack_is_given_back_in_each_format_as_it_was_sent(room: Room, form: str) -> None:
    pack = await kept(room)
    await tap(room, f"{pack.name} (3)")
    await tap(room, text("pack-export", form=form.upper()))
    ((name, content),) = room.telegram.uploads
    assert name == f"Rivers_co.{form}"
    again = read_pack(content, name)
    assert [(each.text, each.answers) for each in again.questions] == [
        (each.text, each.answers) for each in read_pack(CSV.encode(), "x.csv").questions
    ]


async def test_a_pack_is_renamed_changed_and_deleted(room: Room) -> None:
    pack = await kept(room)
    await tap(room, f"{pack.name} (3)")
    await tap(room, text("pack-rename"))
    await room.say("Rivers", by=ANN, chat=ANN)
    assert as_shown("pack-open", name="Rivers", size=3) in newest(room)
    await tap(room, text("pack-view"))
    await tap(room, "Which river flows through Vienna?")
    await tap(room, text("pack-change"))
    await room.say("Which river?\nDanube\nRhine", by=ANN, chat=ANN)
    assert as_shown("pack-changed") in newest(room)
    changed = await room.deps.stores.questions.question(pack.id, 2)
    assert changed is not None
    assert (changed.text, changed.answers, changed.category) == ("Which river?", ("Danube", "Rhine"), "rivers")
    await tap(room, text("pack-remove"))
    await tap(room, text("pack-add"))
    await room.say("Only a question", by=ANN, chat=ANN)
    assert "Answer is empty" in newest(room)
    await room.say("New?\nYes\nNo", by=ANN, chat=ANN)
    assert [question.text for _, question in await room.deps.stores.questions.questions(pack.id)][-1] == "New?"
    await tap(room, text("dlg-back"))
    await tap(room, text("pack-delete"))
    await tap(room, text("pack-delete-yes"))
    assert await room.deps.stores.questions.packs(ANN) == []
    assert room.errors == []


async def test_a_questions_photo_difficulty_and_category_are_changed_in_the_dialog(room: Room) -> None:
    pack = await kept(room)
    await tap(room, f"{pack.name} (3)")
    await tap(room, text("pack-view"))
    await tap(room, "Which river flows through Vienna?")
    sizes = [{"file_id": name * 30, "file_unique_id": name, "width": 9, "height": 9} for name in ("s", "L")]
    await room.say(None, by=ANN, chat=ANN, photo=sizes)
    assert as_shown("pack-photo") in newest(room)
    await tap(room, text("pack-difficulty", difficulty=text("quiz-difficulty-medium")))
    changed = await room.deps.stores.questions.question(pack.id, 2)
    assert changed is not None
    assert (changed.photo, changed.difficulty) == ("L" * 30, "hard")
    content = write_pack([changed], "csv")
    assert read_pack(content, "x.csv").questions[0].photo == changed.photo, "it is exported and read back"
    await tap(room, text("pack-photo-away"))
    await tap(room, text("pack-change"))
    await room.say("Which river?\nDanube\nRhine\n#waters", by=ANN, chat=ANN)
    changed = await room.deps.stores.questions.question(pack.id, 2)
    assert changed is not None
    assert (changed.photo, changed.difficulty, changed.category) == (None, "hard", "waters")
    assert changed.answers == ("Danube", "Rhine")
    assert room.errors == []


async def test_nobody_changes_or_plays_what_is_anothers(room: Room) -> None:
    pack = await kept(room, by=HOST)
    assert not await room.deps.stores.questions.delete_pack(pack.id, ANN)
    await room.say("/pack", by=ANN, chat=ANN)
    assert pack.name not in newest(room)


# -- opening ----------------------------------------------------------------------------------------------------


async def test_one_line_opens_a_quiz(room: Room) -> None:
    await room.say("/start_quiz 5 20 30", by=HOST)
    rules = (await quiz_of(room)).rules
    assert (rules.questions, rules.question_ms, rules.max_players) == (5, 20_000, 30)
    assert len((await quiz_of(room)).questions) == 5


@pytest.mark.parametrize("line", ["x", "5 20 30 7", "NaN", "9e9999", "2.5", "5 15 10.5", "1e1", "5 +15", "5 15 -"])
async def test_a_line_that_can_not_be_read_is_answered_with_how_to_write_it(room: Room, line: str) -> None:
    await room.say(f"/start_quiz {line}", by=HOST)
    assert await room.answer() == text("cmd-usage-start_quiz")
    assert room.errors == []


@pytest.mark.parametrize("line", ["0", "101", "5 0", "5 99999", "5 15 -3", "999999 999999 999999", "1 0.0001"])
async def test_numbers_out_of_bounds_are_refused_or_rounded_but_never_break_anything(room: Room, line: str) -> None:
    await room.say(f"/start_quiz {line}", by=HOST)
    await room.sent()
    assert room.errors == []


async def test_a_quiz_is_put_together_in_the_dialog(room: Room) -> None:
    await kept(room, by=HOST)
    room.telegram.clear_messages()
    await open_all(room, "quiz")
    await press(room, text("dlg-name-pack"))
    await press(room, "Rivers & co")
    await press(room, text("dlg-name-categories"))
    await press(room, "rivers")
    await press(room, text("dlg-back"))
    await press(room, text("dlg-name-questions"))
    await answer_it(room, "2")
    await press(room, text("dlg-name-mode"))
    await press(room, text("dlg-quiz-mode-accuracy"))
    await press(room, text("dlg-name-prize"))
    await answer_it(room, "50")
    summary = plain(window(room)["text"])
    assert "Rivers & co" in summary
    assert "rivers" in summary
    await press(room, text("dlg-back"))
    assert f"{text('dlg-name-pack')}: Rivers & co" in plain(window(room)["text"]).splitlines(), (
        "the short form names the pack too"
    )
    await press(room, text("dlg-newgame-create"))
    state = await quiz_of(room)
    assert (state.rules.mode, state.rules.questions, str(state.rules.prize_pool)) == ("accuracy", 2, "50")
    assert {question.category for question in state.questions} == {"rivers"}
    assert room.errors == []


async def test_a_pack_with_too_few_questions_makes_a_shorter_quiz_and_none_is_refused(room: Room) -> None:
    pack = await kept(room, by=HOST)
    await room.deps.stores.people.change_settings(GROUP, {"quiz": {"pack": str(pack.id), "categories": "rivers"}})
    await room.say("/start_quiz 10", by=HOST)
    assert (await quiz_of(room)).rules.questions == 2
    await room.say("/cancel_game", by=HOST)
    await room.sent()
    await room.deps.stores.people.change_settings(GROUP, {"quiz": {"pack": str(pack.id), "categories": "poems"}})
    await room.say("/start_quiz 10", by=HOST)
    assert await room.answer() == text("rejected-no-questions")


async def test_settings_of_quizzes_are_stored_and_every_quiz_begins_with_them(room: Room) -> None:
    await open_settings(room, "quiz")
    await press(room, text("dlg-name-polls"))
    await press(room, text("dlg-polls-yes"))
    await press(room, text("dlg-name-categories"))
    shown = len(room.telegram.writes)
    await press(room, text("dlg-categories-any"))
    assert len(room.telegram.writes) == shown, "Telegram refuses an edit to the same"
    await press(room, text("quiz-category-space"))
    await press(room, text("quiz-category-music"))
    await press(room, text("dlg-back"))
    await room.say("/start_quiz 5", by=HOST)
    state = await quiz_of(room)
    assert state.rules.polls
    assert {question.category for question in state.questions} <= {"space", "music"}
    chat = await room.deps.stores.people.chat(GROUP)
    assert chat is not None
    assert json.loads(json.dumps(chat.settings)) == {"quiz": {"polls": "yes", "categories": "space|music"}}


async def test_a_chat_is_not_asked_the_same_again_and_what_was_refused_is_given_back(room: Room) -> None:
    await room.say("/start_quiz 5", by=HOST)
    first = {question.id for question in (await quiz_of(room)).questions}
    await room.say("/start_quiz 5", by=HOST)
    assert len(await room.deps.stores.questions.asked(GROUP)) == 5, "a quiz that was refused asks nothing"
    await room.say("/cancel_game", by=HOST)
    await room.say("/start_quiz 5", by=HOST)
    assert not first & {question.id for question in (await quiz_of(room)).questions}
