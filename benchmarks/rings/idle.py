"""Processor time and memory of a member while nothing happens."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from attrs import frozen

from rings.kinds import Ring, go, members
from rings.processes import Crowd, Process, usage

__all__ = ["Idle", "idle"]

SIZE = 20
OURS_ALONE = 2
"""So many of ours are in processes of their own, and are measured."""


@frozen(kw_only=True)
class Idle:
    """
    What a member takes.

    :param percent: of one core, the median of those that were measured.
    :param megabytes: of resident memory, likewise.
    """

    percent: float
    megabytes: float


def measured(processes: Sequence[Process], crowd: Crowd, seconds: float) -> list[Idle]:
    """For each, over a time."""
    before = [usage(each.pid) for each in processes]
    crowd.listen(seconds)
    after = [usage(each.pid) for each in processes]
    return [
        Idle(
            percent=100 * (new.seconds - old.seconds) / seconds, megabytes=new.megabytes
        )
        for old, new in zip(before, after, strict=True)
    ]


def typical(all_: Sequence[Idle]) -> Idle:
    """The medians."""
    return Idle(
        percent=median(each.percent for each in all_),
        megabytes=median(each.megabytes for each in all_),
    )


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="e2d-bench-", ignore_cleanup_errors=True) as d:
        yield Path(d)


def idle(line: str, seconds: float, settle: float) -> dict[str, object]:
    """Part (c)."""
    with scratch() as directory:
        rings: list[Ring] = []

        def hear(event: dict[str, Any]) -> None:
            for ring in rings:
                if event["peer"].startswith(ring.letter):
                    ring.hear(event)

        crowd = Crowd(hear)
        try:
            here = lambda command: command
            ours = Ring("o", members(directory), False, crowd, here)
            rings.append(ours)
            others = [ours.start((SIZE - OURS_ALONE) // 2) for _ in range(2)]
            our_processes = [ours.start(1) for _ in range(OURS_ALONE)]
            told = ours.ready[our_processes[0].names[0]]
            theirs = Ring("g", go(line, told["metadata"], told["state"]), True, crowd, here)
            rings.append(theirs)
            their_processes = [theirs.start(1) for _ in range(SIZE)]
            for ring in rings:
                ring.gather()
            crowd.listen(settle)
            both = measured(our_processes + their_processes, crowd, seconds)
            hosts = []
        finally:
            crowd.end()
    print([round(each.percent, 3) for each in both])
    our, their = typical(both[:OURS_ALONE]), typical(both[OURS_ALONE:])
    print(our, their, our.percent / their.percent)
    return {}
