"""Hands off: which pause is in force (B14)."""

from __future__ import annotations

from datetime import UTC, datetime

from e2d.cluster.policy import Policy
from e2d.model import Pause

__all__ = ["pause_in_force"]

BORN_PAUSED = Pause(until_at=datetime.max.replace(tzinfo=UTC), by="recovery.observe")
"""Only a person ends it."""


def pause_in_force(
    pause: Pause | None, now_at: datetime, policy: Policy
) -> Pause | None:
    """
    The pause that holds now.

    With ``recovery.observe`` a node is born paused: without a pause on record nobody
    has ever resumed it (a resumed one has a pause on record that is over).

    :param pause: as it is on disk.
    """
    if pause is None:
        return BORN_PAUSED if policy.observe else None
    return pause if now_at < pause.until_at else None
