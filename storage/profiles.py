"""Profiles of processes: requests for them, and the results, kept for some minutes.

A request waits under the name of the process, which looks for it every five seconds. While it waits or is worked on,
there is no other one for that process.
"""

import secrets
import zlib
from typing import Annotated, Any, Final

import msgspec
from redis.asyncio import Redis

from storage import keys
from storage.audit import wrote

KEEP_SECONDS: Final = 600
"""Time for which a result is kept."""
GRACE_SECONDS: Final = 120
"""Time for a process to notice a request and to store its result."""
LONGEST: Final = 2_000_000
"""Limit of a profile, in characters. The lightest stacks, which stand at the end, are left out."""
UNDER_WAY: Final = b""


class ProfileRequest(msgspec.Struct, frozen=True):
    """A request for a profile.

    Attributes:
        id: the id of the profile.
        seconds: the time for which the process is sampled.
    """

    id: str
    seconds: Annotated[int, msgspec.Meta(ge=1, le=60)]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile.

    Attributes:
        ready: False while it is made.
        stacks: a line for each stack; none of a process that has only waited.
    """

    ready: bool
    stacks: str = ""


class Profiles:
    """The requests and results. Its methods raise the errors of redis-py."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def ask(self, process: str, seconds: int) -> str | None:
        """Ask a process for a profile. Return the profile's id; None if another one of that process is under way."""
        request = ProfileRequest(secrets.token_hex(8), seconds)
        async with self._redis.pipeline(transaction=True) as pipe:
            # the result's place first: a process that finds the request may store at once
            pipe.set(keys.profile_key(request.id), UNDER_WAY, ex=seconds + GRACE_SECONDS)
            pipe.set(
                keys.profile_request_key(process), msgspec.json.encode(request), nx=True, ex=seconds + GRACE_SECONDS
            )
            _, accepted = await pipe.execute()
        if not accepted:
            await self._redis.delete(keys.profile_key(request.id))
            return None
        wrote("profile", target=process)
        return request.id

    async def asked(self, process: str) -> ProfileRequest | None:
        """Return the request for a profile of a process, also while it is worked on; None if there is none."""
        raw = await self._redis.get(keys.profile_request_key(process))
        try:
            return None if raw is None else msgspec.json.decode(raw, type=ProfileRequest)
        except msgspec.DecodeError:  # of another version
            return None

    async def store(self, process: str, request: ProfileRequest, stacks: str) -> None:
        """Store a profile, and let the next one begin."""
        kept = stacks if len(stacks) <= LONGEST else stacks[: stacks.rindex("\n", 0, LONGEST) + 1]
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.profile_key(request.id), zlib.compress(kept.encode()), ex=KEEP_SECONDS)
            pipe.delete(keys.profile_request_key(process))
            await pipe.execute()

    async def get(self, profile: str) -> Profile | None:
        """Return a profile; None if it is unknown or was not made."""
        found: Any = await self._redis.get(keys.profile_key(profile))
        if found is None:
            return None
        return Profile(ready=True, stacks=zlib.decompress(found).decode()) if found else Profile(ready=False)
