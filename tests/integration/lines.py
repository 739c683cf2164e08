"""Tests that run on each release line of etcd that is at hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, Protocol, TypeVar

from twisted.trial.unittest import SkipTest

from tests.integration.etcds import EtcdLine, find_lines

__all__ = ["Line", "newest", "number", "on_each", "on_each_line"]

C = TypeVar("C", bound=type)

BUILT = "3.6"
"""What ``scripts/fetch-etcd`` builds: no test is skipped for want of it."""


class Line(Protocol):
    """A release line of a program that tests run, if it is at hand."""

    @property
    def suffix(self) -> str:
        """For names of tests: ``3_5``."""

    @property
    def missing(self) -> str | None:
        """Why tests of this line are skipped."""


@cache
def lines() -> tuple[EtcdLine, ...]:
    """
    The lines to test, oldest first.

    ``E2D_ETCD_LINES``, such as ``3.4 3.5``, leaves the others out.
    """
    wanted = os.environ.get("E2D_ETCD_LINES", "").split()
    every = find_lines()
    found = [each for each in every.values() if not wanted or each.name in wanted]
    _say_which(found, every)
    return tuple(sorted(found, key=number))


def _say_which(found: list[EtcdLine], every: Mapping[str, EtcdLine]) -> None:
    """For who reads the results: what they are about, and what they are not."""
    for each in found:
        _say(each.missing or f"etcd {each.version} from {each.directory} is tested")
    for each in every.values():
        if each not in found:
            _say(f"etcd {each.name} is left out: it is not in E2D_ETCD_LINES")
    if BUILT not in every:
        _say(
            f"no etcd {BUILT}: no distribution has it; with Go on PATH"
            " make test-integration builds it"
        )


def _say(line: str) -> None:
    print(f"lines: {line}", file=sys.stderr, flush=True)  # noqa: T201


def number(line: EtcdLine) -> tuple[int, ...]:
    """``(3, 5)``."""
    return tuple(map(int, line.name.split(".")))


def newest() -> EtcdLine:
    """The newest line that is at hand."""
    return [each for each in lines() if each.missing is None][-1]


def on_each_line(cls: C) -> C:
    """Make of each ``test_x(self, etcd)`` one ``test_x_3_5(self)`` a line."""
    return on_each(lines(), cls)


def on_each(every: Sequence[Line], cls: C) -> C:
    """Make of each ``test_x(self, line)`` one ``test_x_3_5(self)`` a line."""
    for name in [each for each in vars(cls) if each.startswith("test")]:
        method = getattr(cls, name)
        delattr(cls, name)
        for each in every:
            setattr(cls, f"{name}_{each.suffix}", _on(method, each))
    return cls


def _on(method: Callable[[Any, Any], object], line: Line) -> Callable[[Any], object]:
    @wraps(method)
    def test(self: Any) -> object:  # noqa: ANN401 - whichever test case
        if line.missing is not None:
            raise SkipTest(line.missing)
        return method(self, line)

    return test
