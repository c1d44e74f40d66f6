"""Buttons that open the Mini App."""

from dataclasses import dataclass, replace

from fsm.kind import Game
from handlers.views.message import Button, Message


@dataclass(frozen=True, slots=True)
class AppLinks:
    """The addresses of the Mini App.

    Attributes:
        link: the beginning of links that open it from any chat, up to the parameter `startapp`.
        url: the address of its page, for buttons in private chats.
    """

    link: str
    url: str

    def added(self, message: Message, game: Game, text: str) -> Message:
        """Return a message with a button below it that opens its game."""
        start = f"g_{game.id}"
        if game.place.chat_id > 0:
            button = Button(text, app=f"{self.url}?startapp={start}")
        else:
            button = Button(text, url=self.link + start)
        return replace(message, keyboard=(*message.keyboard, (button,)))
