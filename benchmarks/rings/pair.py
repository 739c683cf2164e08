"""A ring of our members beside one of memberlist's that say the same of themselves."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from rings.kinds import Command, Place, Ring, Said, go, has_labels, members
from rings.processes import Crowd, Process

__all__ = ["SIZE", "Pair", "here", "pair"]

SIZE = 20
_HOSTED = 6
"""At most so many of ours share a process, unless they are measured."""


@frozen(kw_only=True)
class Pair:
    """
    Two rings of `SIZE` members, each of which knows all of its own ring.

    The same number in a name of each ring stands for the same metadata and state.

    :ivar ours_alone: processes with one member of ours each.
    """

    crowd: Crowd
    ours: Ring
    theirs: Ring
    our_processes: list[Process]
    ours_alone: list[Process]
    their_processes: list[Process]


def here(command: Command) -> Command:
    """No network of its own."""
    return command


@contextlib.contextmanager
def crowd_of(rings: list[Ring]) -> Iterator[Crowd]:
    """
    Processes that end with the benchmark.

    :param rings: by and by, all that there are.
    """

    def hear(event: dict[str, Any]) -> None:
        for ring in rings:
            if event["peer"].startswith(ring.letter):
                ring.hear(event)

    crowd = Crowd(hear)
    try:
        yield crowd
    finally:
        crowd.end()


@contextlib.contextmanager
def pair(
    line: str, alone: int, our_place: Place = here, their_place: Place = here
) -> Iterator[Pair]:
    """
    Start both, and end them.

    :param line: of memberlist.
    :param alone: how many of ours have processes of their own.
    """
    label = "ring" if has_labels(line) else ""
    scratch = tempfile.TemporaryDirectory(
        prefix="e2d-bench-", ignore_cleanup_errors=True
    )
    rings: list[Ring] = []
    with scratch as directory, crowd_of(rings) as crowd:
        make = members(Path(directory), label)
        ours = Ring("o", make, joins=False, crowd=crowd, place=our_place)
        rings.append(ours)
        single = [ours.start(1) for _ in range(alone)]
        shared = []
        while (missing := SIZE - len(ours.alive)) > 0:
            shared.append(ours.start(min(missing, _HOSTED)))

        def says(name: str) -> Said:
            told = ours.ready[ours.letter + name[1:]]
            return Said(told["metadata"], told["state"])

        make_theirs = go(line, label, says)
        theirs = Ring("g", make_theirs, joins=True, crowd=crowd, place=their_place)
        rings.append(theirs)
        their_processes = [theirs.start(1) for _ in range(SIZE)]
        ours.gather()
        theirs.gather()
        yield Pair(
            crowd=crowd,
            ours=ours,
            theirs=theirs,
            our_processes=single + shared,
            ours_alone=single,
            their_processes=their_processes,
        )
