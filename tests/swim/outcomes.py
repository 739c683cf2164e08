"""How a call ends, and how much work it does, without a clock."""

from __future__ import annotations

import sys
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
