"""A chart of delay against cost as SVG, with logarithmic axes."""

import math
from collections.abc import Iterator, Mapping
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 24, 56
COSTS, DELAYS = (0.6, 50.0), (0.02, 1.0)
"""Ranges of the axes: USD per 1,000 jobs, and delay as a share of the duration."""

COST_TICKS, DELAY_TICKS = (1, 2, 5, 10, 20), (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
OURS, OTHERS, GRID = "#0b6e4f", "#8a3b12", "#d8d8d8"

Points = Mapping[str, tuple[float, float]]


def chart(others: Points, ours: Points) -> str:
    """Return the chart of named points; ours are connected by a line."""
    line = " ".join("{:.1f},{:.1f}".format(*_position(point)) for point in ours.values())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" role="img">',
            "<title>Cost of waiting, and delay until the end of a task is noticed</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *_axes(),
            f'<polyline points="{line}" fill="none" stroke="{OURS}" stroke-width="1.5"/>',
            *(_point(name, _position(point), OTHERS, above=8) for name, point in others.items()),
            *(_point(name, _position(point), OURS, above=-18) for name, point in ours.items()),
            _caption(ours),
            "</svg>\n",
        ]
    )


def _axes() -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for cost in COST_TICKS:
        x, _ = _position((cost, DELAYS[0]))
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" stroke="{GRID}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{cost}</text>'
    for delay in DELAY_TICKS:
        _, y = _position((COSTS[0], delay))
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{delay:.0%}</text>'
    middle = (TOP + bottom) / 2
    centre = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{centre}" y="{HEIGHT - 14}" text-anchor="middle">USD per 1,000 jobs</text>'
    yield (
        f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">'
        "mean delay, as a share of the duration</text>"
    )


def _point(name: str, position: tuple[float, float], colour: str, *, above: float) -> str:
    x, y = position
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
        f'<text x="{x:.1f}" y="{y - above:.1f}" fill="{colour}" text-anchor="middle">{escape(name)}</text>'
    )


def _caption(ours: Points) -> str:
    positions = [_position(point) for point in ours.values()]
    x = sum(x for x, _ in positions) / len(positions)
    y = max(y for _, y in positions) + 40
    label = "numberdrop, by MaxWaitSeconds"
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{OURS}" text-anchor="middle">{label}</text>'


def _position(point: tuple[float, float]) -> tuple[float, float]:
    cost, delay = point
    return (
        LEFT + _share(cost, COSTS) * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - _share(delay, DELAYS) * (HEIGHT - TOP - BOTTOM),
    )


def _share(value: float, bounds: tuple[float, float]) -> float:
    low, high = map(math.log, bounds)
    return (math.log(value) - low) / (high - low)
