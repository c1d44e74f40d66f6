"""Personal data of people, for requests that reach the operators by mail: export and erasure."""

from typing import Any, Final

import msgspec

from api.endpoint import About, Call, Endpoint, Reply
from play.access import Needs
from play.privacy import ErasureUnderWay

PEOPLE: Final = "people"


class PersonalDataView(msgspec.Struct, frozen=True):
    """Everything that is stored of a person.

    Attributes:
        format: the name and version of this format.
        player_id: the person's id in Telegram.
        data: table -> its rows about the person, at most 10 000 of each. Secrets are left out.
    """

    format: str
    player_id: int
    data: dict[str, list[Any]]


class ErasureView(msgspec.Struct, frozen=True):
    """An erasure that has begun.

    Attributes:
        job: the id of its job. The job waits until the games of the person have ended.
    """

    job: int


async def get_personal_data(call: Call) -> PersonalDataView:
    """Export everything that is stored of a person."""
    return msgspec.convert(await call.services.play.privacy.export(call.path["player"]), PersonalDataView)


async def erase_personal_data(call: Call) -> Reply:
    """Erase a person's data, as a job. Results stay under an alias; the audit log names the job and not the person."""
    job = await call.services.play.privacy.erase(call.path["player"], asked_by=0, locale=None)
    return Reply(body=ErasureView(job))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/players/{player}/data",
        handle=get_personal_data,
        tag=PEOPLE,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=PersonalDataView,
    ),
    Endpoint(
        method="DELETE",
        path="/players/{player}/data",
        handle=erase_personal_data,
        tag=PEOPLE,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=ErasureView,
        status=202,
        refuses=(ErasureUnderWay,),
        forgets=True,
    ),
)
