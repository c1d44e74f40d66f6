"""The last weeks of a player or of a group: a chart as SVG, and the same figures as text."""

from collections.abc import Sequence
from datetime import date

from handlers.views import lobby, svg
from play.texts import Markup, Texts, name_html
from storage.figures import Week
from storage.periods import bounds

WEEKS = 12
"""Number of weeks that are shown. In a chart that is as wide as a phone each has room for its numbers."""
FEWEST = 4
"""Number of weeks that are shown at least, although the first of them have no games."""
WIDTH, HEIGHT = 1080, 980
LEFT, RIGHT, TOP, BOTTOM = 120, 1050, 320, 780
"""Edges of the plot. `TOP` is the upper end of the highest bar, above which its numbers stand."""
WIDEST_BAR = 110
LINES = 5
"""Most lines across the chart, including the axis."""
TITLE, NUMBER, SMALLEST = 54, 40, 26
"""Font sizes: of the name, of everything else, and the smallest one. A phone shows a picture at a third of its size."""
GROUND, GAMES, WINS, WORDS, FAINT, GRID = "#1b2338", "#6f9bf5", "#f5b83d", "#ffffff", "#aab6d6", "#3b4768"


def shown(weeks: Sequence[Week]) -> list[Week]:
    """Return the weeks from the first one with games, `FEWEST` at least; no weeks if there were no games."""
    first = next((number for number, week in enumerate(weeks) if week.games), None)
    return [] if first is None else list(weeks[min(first, max(len(weeks) - FEWEST, 0)) :])


# -- as text ----------------------------------------------------------------------------------------------------


def caption(name: str, weeks: Sequence[Week], texts: Texts, locale: str, *, of_player: bool) -> str:
    """Return the weeks as text, the latest first. A group has no wins."""
    total = Week("", sum(week.games for week in weeks), sum(week.wins for week in weeks))
    title = texts.html(
        locale,
        "weeks-title",
        name=name_html(name),
        weeks=len(weeks),
        figures=_figures(total, texts, locale, of_player=of_player),
    )
    lines = "\n".join(
        texts.html(
            locale,
            "weeks-line",
            date=Markup(_date(week, "d MMM", locale)),
            figures=_figures(week, texts, locale, of_player=of_player),
        )
        for week in reversed(weeks)
    )
    return f"{title}\n{lobby.folded(lines)}"


def _figures(week: Week, texts: Texts, locale: str, *, of_player: bool) -> Markup:
    games = texts.html(locale, "weeks-count-games", games=week.games)
    if not of_player or not week.games:
        return games
    return texts.html(locale, "weeks-count-both", games=games, wins=week.wins)


def _monday(week: Week) -> date:
    return bounds(week.name)[0].date()


def _date(week: Week, pattern: str, locale: str) -> str:
    """Return a part of the date on which a week begins."""
    from babel.dates import format_date  # noqa: PLC0415 -- slow to import, and rarely needed

    return str(format_date(_monday(week), pattern, locale=locale))


# -- as a chart -------------------------------------------------------------------------------------------------


def chart(name: str, weeks: Sequence[Week], texts: Texts, locale: str, *, of_player: bool) -> str:
    """Return a chart with a bar for each week, its games. The wins of a player are the lower part of the bar."""
    plot = _Plot(weeks, texts, locale, of_player=of_player)
    title, size = svg.fitted(svg.one_line(name), WIDTH - 80, TITLE, NUMBER, bold=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="{svg.FAMILY}">'
        + svg.box(0, 0, WIDTH, HEIGHT, GROUND)
        + svg.text(WIDTH // 2, 84, size, WORDS, title, bold=True)
        + plot.legend()
        + plot.scale()
        + "".join(plot.bar(number) + plot.numbers(number) for number in range(len(weeks)))
        + plot.dates()
        + svg.text((LEFT + RIGHT) // 2, HEIGHT - 36, NUMBER, FAINT, texts.plain(locale, "weeks-axis"))
        + "</svg>"
    )


class _Plot:
    """The parts of a chart, in the measures that its weeks give it."""

    def __init__(self, weeks: Sequence[Week], texts: Texts, locale: str, *, of_player: bool) -> None:
        self._weeks = weeks
        self._texts = texts
        self._locale = locale
        self._of_player = of_player
        most = max(week.games for week in weeks)
        self._step = _step(most)
        self._highest = self._step * -(-most // self._step)
        self._slot = (RIGHT - LEFT) / len(weeks)

    def legend(self) -> str:
        """Return the names of the bars, of which the first is that of the vertical axis."""
        left, parts = LEFT, []
        for colour, text_id in ((GAMES, "weeks-games"), (WINS, "weeks-wins"))[: 1 + self._of_player]:
            words = self._texts.plain(self._locale, text_id)
            parts.append(svg.box(left, 134, 40, 40, colour, radius=8))
            parts.append(svg.text(left + 56, 168, NUMBER, WORDS, words, anchor="start"))
            left += 56 + round(svg.width(words, NUMBER)) + 50
        return "".join(parts)

    def scale(self) -> str:
        """Return the lines across the chart with their numbers."""
        parts = []
        for games in range(0, self._highest + 1, self._step):
            y = BOTTOM - self._height(games)
            label = self._texts.number(self._locale, games)
            size = svg.fitting(label, LEFT - 30, NUMBER, SMALLEST)
            parts.append(svg.box(LEFT, y - 1, RIGHT - LEFT, 2, GRID))
            parts.append(svg.text(LEFT - 16, y + size // 3, size, FAINT, label, anchor="end"))
        return "".join(parts)

    def bar(self, number: int) -> str:
        """Return the bar of a week."""
        week, wide = self._weeks[number], min(round(self._slot * 0.66), WIDEST_BAR)
        parts = [(week.games, GAMES)] + [(week.wins, WINS)] * self._of_player
        left = self._middle(number) - wide // 2
        return "".join(
            svg.box(left, BOTTOM - self._height(count), wide, self._height(count), colour, radius=6)
            for count, colour in parts
            if count
        )

    def numbers(self, number: int) -> str:
        """Return the number of games above a week's bar, and the number of wins between the two."""
        week, parts = self._weeks[number], []
        counts = [(week.wins, WINS)] * (self._of_player and week.games > 0) + [
            (week.games, WORDS if week.games else FAINT)
        ]
        y = BOTTOM - self._height(week.games) - 14
        for count, colour in counts:
            # Without thousands separators, so that four digits are still readable in the room of a week.
            size = svg.fitting(str(count), self._slot - 4, NUMBER, SMALLEST, bold=True)
            parts.append(svg.text(self._middle(number), y, size, colour, str(count), bold=True))
            y -= NUMBER + 4
        return "".join(parts)

    def dates(self) -> str:
        """Return the day on which each week begins, with the month where it is another one than before."""
        parts, days = [], [_monday(week) for week in self._weeks]
        for number, day in enumerate(days):
            x = self._middle(number)
            parts.append(svg.text(x, BOTTOM + 52, NUMBER, WORDS, str(day.day)))
            following = days[number + 1] if number + 1 < len(days) else day
            # The month of a single week at the beginning would run into the next one.
            if day.month != days[number - 1].month if number else day.month == following.month:
                month = _date(self._weeks[number], "LLL", self._locale)
                words, size = svg.fitted(month, 1.9 * self._slot, NUMBER, SMALLEST)
                parts.append(svg.text(x, BOTTOM + 104, size, FAINT, words))
        return "".join(parts)

    def _height(self, count: int) -> int:
        return round(count * (BOTTOM - TOP) / self._highest)

    def _middle(self, number: int) -> int:
        return round(LEFT + (number + 0.5) * self._slot)


def _step(most: int) -> int:
    """Return the distance between the lines across a chart: 1, 2 or 5, or one of these with zeros behind it."""
    tens = [int(10**zeros) for zeros in range(10)]
    return next(figure * ten for ten in tens for figure in (1, 2, 5) if figure * ten * (LINES - 1) >= most)
