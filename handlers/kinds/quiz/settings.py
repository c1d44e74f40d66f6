"""The section ``[games.quiz]`` of the configuration."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, SecretStr

from fsm.pick_number import Beacon
from fsm.quiz import QuizRules
from handlers.kinds.settings import (
    OPTIONAL_URL,
    SHOW_WAIT_MS,
    LobbySection,
    Phase,
    Reveal,
    Seconds,
    Section,
    Whole,
    form,
    milliseconds,
)


class Model(Section):
    """The access to an OpenAI-compatible model that writes questions. Without ``base_url`` there is none."""

    base_url: str = Field(
        default="", pattern=OPTIONAL_URL, description="empty, or a URL that begins with http:// or https://"
    )
    api_key: Annotated[SecretStr, form(r"[!-~]*")] = Field(
        default=SecretStr(""), description="a key of ASCII letters, digits and signs, without spaces"
    )
    name: str = ""
    timeout_seconds: Seconds = 20


class QuizSection(LobbySection):
    """The default rules of quizzes, which chats and hosts can change, and the model."""

    questions: Whole = Field(default=10, ge=1, le=100)
    question_seconds: Phase = 15
    reveal_seconds: Reveal = 3
    late_join: bool = True
    model: Model = Model()

    def rules(self, beacon: Beacon | None) -> QuizRules:  # noqa: ARG002 -- a quiz draws nothing
        """Return the default rules."""
        return QuizRules(
            **self.lobby(),
            questions=self.questions,
            question_ms=milliseconds(self.question_seconds),
            reveal_ms=milliseconds(self.reveal_seconds),
            show_wait_ms=SHOW_WAIT_MS,
            late_join=self.late_join,
        )

    def contradictions(self, section: str) -> Iterator[tuple[str, str]]:
        """Yield the settings that contradict others, as `LobbySection.contradictions` does."""
        yield from super().contradictions(section)
        if self.model.base_url and not self.model.name:
            yield "model.name", f"the name of a model, as {section}.model.base_url is set"


SECTION = QuizSection
