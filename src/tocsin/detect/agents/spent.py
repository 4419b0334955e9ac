"""What sessions and people use up, as cells, and the limits that they go beyond. Costs are added as millionths: order does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tocsin.detect.agents.rows import Rows
from tocsin.detect.agents.trail import Cell, Trail, cell, grouped
from tocsin.detect.agents.watching import Flag, SessionWatch
from tocsin.model.finding import Level

MICROS = 1_000_000


class Limit(NamedTuple):
    """What is limited: the kind of cell, the parameter, and what going beyond it means in words."""

    cell: str
    parameter: str
    title: str
    unit: str


def spent(rows: Rows, owner: Callable[[int], str]) -> Iterator[Cell]:
    """Tokens and cost of every message, on the account of `owner`. What is no positive amount costs nothing."""
    used = zip(*(rows.column(name) for name in ("tokens_in", "tokens_out", "cost")), strict=True)
    for row, (read, written, cost) in enumerate(used):
        at = rows.at(row)._replace(owner=owner(row))
        if tokens := max(read or 0, 0) + max(written or 0, 0):
            yield cell("tokens", at.owner, at, value="tokens", amount=int(tokens))
        if cost is not None and 0 < cost < float("inf"):
            yield cell("cost", at.owner, at, value="cost", amount=round(cost * MICROS))


def beyond(state: Trail, limits: Iterable[Limit], watch: SessionWatch, who: str) -> tuple[Flag, ...]:
    """A severe flag for every limit that somebody went beyond; a limit that is not set allows everything."""
    set_ = [limit for limit in limits if watch.get(limit.parameter) is not None]
    return tuple(
        flag for cells in grouped(state).values() for limit in set_ for flag in _beyond(limit, cells, watch, who)
    )


def _beyond(limit: Limit, cells: list[Cell], watch: SessionWatch, who: str) -> Iterator[Flag]:
    most = float(watch.get(limit.parameter))
    for one in (one for one in cells if one.kind == limit.cell):
        used = one.amount / MICROS if limit.cell == "cost" else float(one.amount or one.count)
        if used > most:
            sentence = f"{who} used {used:,.10g} {limit.unit}; {most:,.10g} are allowed"
            yield Flag(limit.cell, limit.title, sentence, Level.SEVERE, 1.0, (one,), one.shown and f"[{one.shown}]")
