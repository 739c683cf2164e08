"""Processor time and memory of a member while nothing happens."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from attrs import frozen

from rings.pair import SIZE, pair
from rings.processes import Crowd, Process, usage

__all__ = ["idle"]

AIM = 3.0
ALONE = 3
"""So many of ours are measured, in processes of their own; of the others, all are."""

SETTLE_SECONDS = 30.0
"""Until then each has exchanged states once, and has loaded all that it needs."""


@frozen(kw_only=True)
class Cost:
    """
    What a member takes.

    :param percent: of one core.
    :param megabytes: of resident memory.
    """

    percent: float
    megabytes: float


def idle(line: str, seconds: float) -> dict[str, object]:
    """Part (c)."""
    with pair(line, ALONE) as both:
        both.crowd.listen(SETTLE_SECONDS)
        processes = both.ours_alone + both.their_processes
        costs = _measured(processes, both.crowd, seconds)
    return _report(line, seconds, _typical(costs[:ALONE]), _typical(costs[ALONE:]))


def _measured(processes: Sequence[Process], crowd: Crowd, seconds: float) -> list[Cost]:
    before = [usage(each.pid) for each in processes]
    crowd.listen(seconds)
    after = [usage(each.pid) for each in processes]
    return [
        Cost(
            percent=100 * (new.seconds - old.seconds) / seconds,
            megabytes=new.megabytes,
        )
        for old, new in zip(before, after, strict=True)
    ]


def _typical(costs: Sequence[Cost]) -> Cost:
    return Cost(
        percent=median(each.percent for each in costs),
        megabytes=median(each.megabytes for each in costs),
    )


def _report(line: str, seconds: float, ours: Cost, theirs: Cost) -> dict[str, object]:
    ratio = ours.percent / theirs.percent
    print(f"idle: a member of a ring of {SIZE}, over {seconds:.0f} s")
    for name, cost in (("ours", ours), (f"memberlist {line}", theirs)):
        print(f"{name:15} {cost.percent:.3f} % of one core, {cost.megabytes:5.1f} MB")
    print(
        f"ours takes {ratio:.2f} times the processor time, and"
        f" {ours.megabytes / theirs.megabytes:.1f} times the memory;"
        f" aim: {AIM:g} times the time or less: {'met' if ratio <= AIM else 'MISSED'}"
    )
    return {
        "memberlist": line,
        "cpu_percent": round(ours.percent, 3),
        "memberlist_cpu_percent": round(theirs.percent, 3),
        "cpu_ratio": round(ratio, 2),
        "megabytes": round(ours.megabytes, 1),
        "memberlist_megabytes": round(theirs.megabytes, 1),
        "memory_ratio": round(ours.megabytes / theirs.megabytes, 2),
        "aim_met": ratio <= AIM,
    }
