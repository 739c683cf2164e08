"""How a call ends, and what it costs, without a clock."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

from e2d.swim.errors import WireError

_Trace = Callable[[FrameType, str, Any], Any]


def refusal(work: Callable[..., object], *arguments: object) -> WireError:
    """The error of a call that has to fail."""
    try:
        accepted = work(*arguments)
    except WireError as error:
        return error
    raise AssertionError(f"accepted: {accepted!r}")


def lines(work: Callable[[], object]) -> int:
    """How many lines of Python are executed; the same each time."""
    count = 0

    def line(_frame: FrameType, event: str, _argument: object) -> _Trace:
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def peak_bytes(work: Callable[[], object]) -> int:
    """How much memory Python has taken at most while it was at it."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
