"""The meaning of each need, for people and for tokens of the API."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from fsm.kind import ChatTopic
from fsm.pick_number import PickNumberRules
from play.access import (
    ANONYMOUS,
    EVERYONE,
    OPENERS,
    Access,
    Actor,
    Banned,
    Elsewhere,
    JoinInGroup,
    Needs,
    NeedsAPerson,
    NeedsAToken,
    NoPremium,
    NotAHost,
    NotAMember,
    NotAnOperator,
    NotYours,
    PremiumUnknown,
    Role,
    Token,
)
from play.numbers import HIGHEST_ID, whole
from storage.connections import Pool
from tests.handlers.room import ANN, BEN, GROUP, HOST, OPERATOR, OTHER_GROUP, Room, build_room

HERE, THERE = ChatTopic(GROUP), ChatTopic(OTHER_GROUP)
GROUP_ADMIN = Actor(ANONYMOUS, "Friends", GROUP, GROUP)


@pytest.fixture
async def room(redis: Redis, pool: Pool) -> AsyncIterator[Room]:
    async with build_room(redis, pool) as built:
        yield built


@pytest.fixture
def access(room: Room) -> Access:
    return room.deps.play.access


def person(player: int, chat: int | None = GROUP) -> Actor:
    return Actor(player, f"P{player}", chat)


async def allowed(access: Access, actor: Actor, chat_topic: ChatTopic | None) -> set[Needs]:
    """Return the actor's permissions in a place."""
    found = set()
    for needs in Needs:
        try:
            await access.authorise(actor, chat_topic, needs)
        except (Banned, Elsewhere, JoinInGroup, NotAHost, NotAMember, NotAnOperator, NeedsAPerson, NeedsAToken):
            continue
        found.add(needs)
    return found


PLAYER = {Needs.NOTHING, Needs.USE, Needs.LOOK, Needs.PLAY, Needs.JOIN}


async def test_what_people_may_do_in_their_group(access: Access) -> None:
    assert await allowed(access, person(ANN), HERE) == PLAYER
    assert await allowed(access, person(HOST), HERE) == PLAYER | {Needs.OPEN, Needs.HOST}
    assert await allowed(access, person(OPERATOR), HERE) == PLAYER, "an operator is one in private"
    assert await allowed(access, GROUP_ADMIN, HERE) == {
        Needs.NOTHING, Needs.USE, Needs.LOOK, Needs.OPEN, Needs.HOST,
    }  # fmt: skip


async def test_what_they_may_do_from_private_and_from_elsewhere(access: Access) -> None:
    assert await allowed(access, person(ANN, ANN), HERE) == PLAYER - {Needs.JOIN}
    assert await allowed(access, person(HOST, HOST), HERE) == PLAYER - {Needs.JOIN} | {Needs.OPEN, Needs.HOST}
    assert await allowed(access, person(HOST, OTHER_GROUP), HERE) == {Needs.NOTHING}
    assert await allowed(access, person(OPERATOR, OPERATOR), None) == PLAYER | {Needs.OPERATE}
    assert await allowed(access, GROUP_ADMIN, THERE) == {Needs.NOTHING}


async def test_everyone_opens_games_where_the_hosts_say_so(access: Access, room: Room) -> None:
    await room.deps.stores.people.change_settings(GROUP, {OPENERS: EVERYONE})
    assert Needs.OPEN in await allowed(access, person(ANN), HERE)


async def test_a_dialog_is_used_by_its_owner_alone(access: Access) -> None:
    await access.authorise(person(HOST), HERE, Needs.HOST, owners=[HOST])
    for needs in (Needs.HOST, Needs.NOTHING):
        with pytest.raises(NotYours):
            await access.authorise(person(ANN), HERE, needs, owners=[HOST])
        with pytest.raises(NotYours):
            await access.authorise(GROUP_ADMIN, HERE, needs, owners=[HOST])


async def test_the_dialog_of_an_anonymous_administrator_is_used_by_every_host(access: Access) -> None:
    await access.authorise(person(HOST), HERE, Needs.HOST, owners=[ANONYMOUS])
    with pytest.raises(NotAHost):
        await access.authorise(person(ANN), HERE, Needs.HOST, owners=[ANONYMOUS])


async def test_nobody_bans_an_operator_a_host_or_all_anonymous_administrators(access: Access) -> None:
    assert [player for player in (ANN, HOST, OPERATOR, ANONYMOUS) if await access.is_protected(GROUP, player)] == [
        HOST, OPERATOR, ANONYMOUS,
    ]  # fmt: skip
    assert [player for player in (ANN, HOST, OPERATOR, ANONYMOUS) if await access.is_protected(0, player)] == [
        OPERATOR, ANONYMOUS,
    ]  # fmt: skip


def test_people_see_all_of_their_own_figures_and_those_of_the_chat_of_others(access: Access) -> None:
    assert access.chat_of_figures(person(ANN), ANN, GROUP) == 0
    assert access.chat_of_figures(person(ANN), BEN, GROUP) == GROUP


@pytest.mark.parametrize("where", [GROUP, 0])
async def test_a_banned_person_may_do_nothing_there(access: Access, room: Room, where: int) -> None:
    await room.deps.stores.people.ban(where, HOST, OPERATOR, "")
    for chat in (GROUP, HOST, None):
        assert await allowed(access, person(HOST, chat), HERE) == {Needs.NOTHING}


async def test_somebody_who_is_not_in_the_group_neither_plays_nor_looks(access: Access, room: Room) -> None:
    room.telegram.remove(GROUP, BEN, "kicked")
    assert await allowed(access, person(BEN, BEN), HERE) == {Needs.NOTHING, Needs.USE}
    assert await allowed(access, person(BEN, None), HERE) == {Needs.NOTHING, Needs.USE}


async def test_the_fast_answer_never_lets_anybody_in_whom_the_slow_one_refuses(access: Access, room: Room) -> None:
    game = await room.state(await room.open())
    people = room.deps.stores.people
    assert not access.allows(person(ANN), game, Needs.PLAY), "nothing is remembered yet"
    await access.authorise(person(ANN), game, Needs.PLAY)
    assert access.allows(person(ANN), game, Needs.PLAY)
    for needs in set(Needs) - {Needs.PLAY}:
        assert not access.allows(person(ANN), game, needs)
    assert not access.allows(person(ANN, ANN), game, Needs.PLAY)
    assert not access.allows(person(ANN, OTHER_GROUP), game, Needs.PLAY)
    await people.player_departed(GROUP, ANN)
    assert not access.allows(person(ANN), game, Needs.PLAY)
    await people.player_returned(GROUP, ANN)
    await people.ban(GROUP, ANN, HOST, "")
    assert not access.allows(person(ANN), game, Needs.PLAY)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, {Needs.NOTHING, Needs.LOOK}),
        (Role.HOST, {Needs.NOTHING, Needs.LOOK, Needs.OPEN, Needs.HOST, Needs.ACT}),
        (Role.OPERATOR, {Needs.NOTHING, Needs.LOOK, Needs.OPEN, Needs.HOST, Needs.ACT, Needs.OPERATE}),
    ],
)
async def test_a_token_may_do_what_its_role_says_within_its_chats(access: Access, role: Role, may: set[Needs]) -> None:
    limited = Actor(1, token=Token(role, frozenset({GROUP})))
    assert await allowed(access, limited, HERE) == may
    assert await allowed(access, limited, THERE) == {Needs.NOTHING}
    assert await allowed(access, limited, None) == {Needs.NOTHING}
    unlimited = Actor(1, token=Token(role))
    assert await allowed(access, unlimited, THERE) == await allowed(access, unlimited, None) == may


async def test_the_rights_of_a_token_are_not_those_of_its_owner(access: Access) -> None:
    assert await allowed(access, Actor(HOST, token=Token(Role.VIEWER)), HERE) == {Needs.NOTHING, Needs.LOOK}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", 0), ("7", 7), ("007", 7), (str(HIGHEST_ID), HIGHEST_ID), (str(HIGHEST_ID + 1), None),
        ("9" * 5000, None), ("-1", None), ("+1", None), ("1_000", None), ("１２", None), ("٣", None), ("²", None),
        ("", None), (" 1", None), ("1.0", None), ("1e3", None), ("0x1", None),
    ],
)  # fmt: skip
def test_numbers_are_ascii_digits_within_bounds(written: str, read: int | None) -> None:
    assert whole(written, HIGHEST_ID) == read


async def test_conditions_are_checked_for_everybody_who_joins_and_a_token_cannot_tell_premium(
    access: Access, room: Room
) -> None:
    rules = PickNumberRules(premium=True)
    with pytest.raises(PremiumUnknown):
        await access.check_conditions(person(ANN, None), GROUP, rules)
    with pytest.raises(NoPremium):
        await access.check_conditions(Actor(HOST, "Hana", GROUP, premium=False), GROUP, rules)
    await access.check_conditions(Actor(ANN, "Ann", GROUP, premium=True), GROUP, rules)
    room.telegram.remove(GROUP, ANN, "left")
    assert not await access.may_join(Actor(ANN, "Ann", GROUP, premium=True), GROUP, rules), "not even as the opener"
