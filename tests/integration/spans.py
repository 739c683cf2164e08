"""Real time that real peers are given."""

from __future__ import annotations

from twisted.internet import reactor  # noqa: TID251 - real processes need the real one
from twisted.internet.task import deferLater

__all__ = ["passes"]


async def passes(seconds: float) -> None:
    """Let so much time pass: where nothing is to happen, nothing can be waited for."""
    await deferLater(reactor, seconds)
