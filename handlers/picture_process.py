"""Program of the process that turns one drawing into a picture: ``python -m handlers.picture_process``.

Standard input: SVG. Standard output: PNG. The package that draws holds the interpreter's lock, so that in a thread it
would delay the taps of all players.
"""

import sys


def main() -> None:
    """Draw."""
    import resvg_py  # noqa: PLC0415 -- an optional package, which no other process imports

    svg = sys.stdin.buffer.read().decode()
    png = resvg_py.svg_to_bytes(svg_string=svg, font_family="DejaVu Sans", sans_serif_family="DejaVu Sans")
    sys.stdout.buffer.write(bytes(png))


if __name__ == "__main__":
    main()
