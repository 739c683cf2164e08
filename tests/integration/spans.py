"""Real time that real peers are given."""

from __future__ import annotations

import time

from twisted.internet import reactor  # noqa: TID251 - real processes need the real one
from twisted.internet.task import deferLater

__all__ = ["moment", "passes"]


def moment() -> float:
    """Now, in seconds of CLOCK_MONOTONIC, as events are dated."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


async def passes(seconds: float) -> None:
    """Let so much time pass: where nothing is to happen, nothing can be waited for."""
    await deferLater(reactor, seconds)
