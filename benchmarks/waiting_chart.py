"""A picture of cost against delay, as SVG; both axes are logarithmic."""

import math
from collections.abc import Iterator, Mapping
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 24, 56
COSTS, DELAYS = (0.6, 50.0), (0.02, 1.0)
"""From where to where: USD for 1,000 jobs, and the delay as a share of the duration."""

COST_MARKS, DELAY_MARKS = (1, 2, 5, 10, 20), (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
OURS, OTHERS, GRID = "#0b6e4f", "#8a3b12", "#d8d8d8"

Points = Mapping[str, tuple[float, float]]


def chart(others: Points, ours: Points) -> str:
    """The points with their names; ours are joined."""
    joined = " ".join("{:.1f},{:.1f}".format(*_place(point)) for point in ours.values())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" role="img">',
            "<title>What waiting costs, and how late the end of a task is noticed</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *_axes(),
            f'<polyline points="{joined}" fill="none" stroke="{OURS}" stroke-width="1.5"/>',
            *(_point(name, _place(point), OTHERS, above=8) for name, point in others.items()),
            *(_point(name, _place(point), OURS, above=-18) for name, point in ours.items()),
            _caption(ours),
            "</svg>\n",
        ]
    )


def _axes() -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for cost in COST_MARKS:
        x, _ = _place((cost, DELAYS[0]))
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" stroke="{GRID}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{cost}</text>'
    for delay in DELAY_MARKS:
        _, y = _place((COSTS[0], delay))
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{delay:.0%}</text>'
    middle = (TOP + bottom) / 2
    centre = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{centre}" y="{HEIGHT - 14}" text-anchor="middle">USD for 1,000 jobs</text>'
    yield (
        f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">'
        "mean delay, as a share of the duration</text>"
    )


def _point(name: str, place: tuple[float, float], colour: str, *, above: float) -> str:
    x, y = place
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
        f'<text x="{x:.1f}" y="{y - above:.1f}" fill="{colour}" text-anchor="middle">{escape(name)}</text>'
    )


def _caption(ours: Points) -> str:
    places = [_place(point) for point in ours.values()]
    x = sum(x for x, _ in places) / len(places)
    y = max(y for _, y in places) + 40
    words = "numberdrop, by MaxWaitSeconds"
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{OURS}" text-anchor="middle">{words}</text>'


def _place(point: tuple[float, float]) -> tuple[float, float]:
    cost, delay = point
    return (
        LEFT + _share(cost, COSTS) * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - _share(delay, DELAYS) * (HEIGHT - TOP - BOTTOM),
    )


def _share(value: float, bounds: tuple[float, float]) -> float:
    low, high = map(math.log, bounds)
    return (math.log(value) - low) / (high - low)
