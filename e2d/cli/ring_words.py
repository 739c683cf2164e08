"""
The gossip ring for people, in lines: what ``/status`` says under ``gossip``. Pure.

Names come from other nodes: they are cleaned and clipped wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from e2d.cli.words import clipped, duration, listed

__all__ = ["NAME_WIDTH", "name_of", "remarks", "ring_texts", "summary"]

Document = dict[str, Any]

NAME_WIDTH = 32
"""Host names and the ids that e2d gives fit."""

ADDRESS_WIDTH = 64
"""The longest literal of IPv6 with its port fits; a seed's host may be any name."""

SHOWN = 5
"""Of each kind: with more, something is wrong that names do not explain."""

RANKS = ("alive", "suspect", "dead", "departed", "left")
NAMED = ("suspect", "dead", "departed")
"""Whom somebody may miss."""

PRESENT = ("alive", "suspect")

STRANGERS = (
    ("of another cluster", ("e2d",)),
    ("of the original e2d", ("original",)),
    ("not understood", ("unreadable", "silent")),
)


def ring_texts(ring: Document) -> list[str]:
    """
    The ring in short: how many there are, and by name who is not as they should be.

    :param ring: ``gossip`` of ``/status``.
    :raises KeyError: it is not that; nor is it if it raises TypeError.
    """
    if ring["members"] is None:
        return [summary(ring)]
    return [summary(ring), *_missed(ring), *_strangers(ring), *remarks(ring)]


def summary(ring: Document) -> str:
    """How many there are in each rank; or that this node is not there, and why."""
    ranks = ring["ranks"]
    if ranks is None:
        problem = ring["problem"]
        return (
            "not in the ring yet" if problem is None else f"not in the ring: {problem}"
        )
    counts = [f"{ranks[rank]} {rank}" for rank in RANKS if ranks[rank]]
    sealed = "encrypted" if ring["encrypted"] else "not encrypted"
    return f"{', '.join(counts) or 'nobody'}; {sealed}"


def remarks(ring: Document) -> Iterator[str]:
    """What is not about single nodes of the ring."""
    unmet = [clipped(address, ADDRESS_WIDTH) for address in ring["unmet"]]
    if unmet:
        yield f"did not answer: {listed(unmet, len(unmet), SHOWN)}"
    for clash in ring["clashes"][:SHOWN]:
        ago = duration(clash["seconds_ago"])
        yield (
            f"the name {clipped(clash['name'], NAME_WIDTH)} is claimed at"
            f" {clash['held']} and, {ago} ago, at {clash['claimed']}"
        )
    if ring["health_score"]:
        score = ring["health_score"]
        yield f"health score {score} (0 is well): this node or its network is slow"
    if ring["members"] is not None and ring["problem"] is not None:
        yield ring["problem"]


def name_of(member: Document) -> str:
    """What a node is called, fit for a line."""
    return clipped(member["name"], NAME_WIDTH)


def _missed(ring: Document) -> Iterator[str]:
    for rank in NAMED:
        found = [each for each in ring["members"] if each["rank"] == rank]
        texts = [
            f"{name_of(each)} ({each['address']}) for {duration(each['for_seconds'])}"
            for each in found[:SHOWN]
        ]
        if texts:
            yield f"{rank}: {listed(texts, ring['ranks'][rank], SHOWN)}"


def _strangers(ring: Document) -> Iterator[str]:
    present = [each for each in ring["members"] if each["rank"] in PRESENT]
    for label, kinds in STRANGERS:
        names = [
            name_of(each)
            for each in present
            if each["kind"] in kinds and (each["kind"] != "e2d" or _foreign(each))
        ]
        if names:
            yield f"{label}: {listed(names, len(names), SHOWN)}"


def _foreign(member: Document) -> bool:
    return member["own_cluster"] is False
