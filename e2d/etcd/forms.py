"""
How foundings and pauses look as records: JSON in, values out, nothing taken on trust.

A record that lacks what it must have is an error, not a default: a founding whose
``started`` were lost would let a second cluster begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from e2d.interfaces import DataDirectoryError
from e2d.model import Founding, NodeName, Pause

__all__ = [
    "founding_from_record",
    "founding_to_record",
    "pause_from_record",
    "pause_to_record",
    "required",
]

_V = TypeVar("_V")


def required(record: Mapping[str, object], key: str, kind: type[_V], where: str) -> _V:
    """
    A value that a record must have.

    :param kind: of which type.
    :param where: the path of the record, for the error.
    :raises DataDirectoryError: it is not there, or of another type.
    """
    value = record.get(key)
    # JSON's true is no number, though Python's is.
    if type(value) is not kind:
        raise DataDirectoryError(
            f"{where}: not a record of e2d ({key!r} is not a {kind.__name__}); look at "
            "it, and if it is beyond repair move it out of the way"
        )
    return value


def founding_to_record(founding: Founding) -> dict[str, object]:
    """A founding as it is kept."""
    return {
        "founding": founding.founding_id,
        "cluster": founding.cluster_name,
        "peers": [list(peer) for peer in founding.peers],
        "started": founding.started,
    }


def founding_from_record(record: Mapping[str, object], where: str) -> Founding:
    """
    The founding that was kept.

    :raises DataDirectoryError: the record is not whole.
    """
    peers: list[tuple[NodeName, str]] = []
    for peer in required(record, "peers", list, where):
        match peer:
            case [str(name), str(url)]:
                peers.append((NodeName(name), url))
            case _:
                raise DataDirectoryError(f"{where}: not a record of e2d (peers)")
    return Founding(
        founding_id=required(record, "founding", str, where),
        cluster_name=required(record, "cluster", str, where),
        peers=tuple(peers),
        started=required(record, "started", bool, where),
    )


def pause_to_record(pause: Pause) -> dict[str, object]:
    """A pause as it is kept."""
    assert pause.until_at.tzinfo is not None
    return {
        "until": pause.until_at.isoformat(),
        "by": pause.by,
        "reason": pause.reason,
    }


def pause_from_record(record: Mapping[str, object], where: str) -> Pause:
    """
    The pause that was kept.

    :raises DataDirectoryError: the record is not whole.
    """
    text = required(record, "until", str, where)
    try:
        until_at = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataDirectoryError(f"{where}: not a time: {text!r}") from error
    if until_at.tzinfo is None:
        raise DataDirectoryError(f"{where}: a time without its offset: {text!r}")
    return Pause(
        until_at=until_at,
        by=required(record, "by", str, where),
        reason=required(record, "reason", str, where),
    )
