"""The gossip ring as a table: ``e2d gossip members``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from e2d.cli.rendering import Document, Line, Tone
from e2d.cli.ring_words import name_of, remarks, summary
from e2d.cli.words import clipped, duration, printable

__all__ = ["member_lines"]

VERSION_WIDTH = 16
REASON_WIDTH = 60

UNKNOWN = "-"

COLUMNS = (
    "name",
    "rank",
    "for",
    "status",
    "address",
    "e2d",
    "etcd",
    "member",
    "cluster",
    "incarnation",
)

TONES = {
    "suspect": Tone.CAUTION,
    "dead": Tone.BAD,
    "departed": Tone.CAUTION,
}


def member_lines(ring: Document, *, everybody: bool) -> list[Line]:
    """
    A line for each node of the ring, and what else there is to know.

    :param ring: ``gossip`` of ``/status``.
    :param everybody: those who left, too.
    :raises KeyError: it is not that; nor is it if it raises TypeError or ValueError.
    """
    lines = [Line(printable(text)) for text in (summary(ring), *remarks(ring))]
    if ring["members"] is None:
        return lines
    shown = [each for each in ring["members"] if everybody or each["rank"] != "left"]
    hidden = len(ring["members"]) - len(shown)
    if hidden:
        lines.append(Line(f"{hidden} that left: shown with --all"))
    if ring["left_out"]:
        lines.append(Line(f"{ring['left_out']} more, for which there is no room"))
    return [*_table(shown), Line(""), *lines]


def _table(members: Sequence[Document]) -> Iterator[Line]:
    rows = [(*COLUMNS, ""), *[(*_row(each), _note(each)) for each in members]]
    tones = [Tone.PLAIN, *[TONES.get(each["rank"], Tone.PLAIN) for each in members]]
    widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS) + 1)]
    for row, tone in zip(rows, tones, strict=True):
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        yield Line("  ".join(cells).rstrip(), tone)


def _row(member: Document) -> Sequence[str]:
    return (
        name_of(member),
        printable(member["rank"]),
        duration(member["for_seconds"]),
        _known(member["status"]),
        printable(member["address"]),
        _known(member["e2d_version"]),
        _known(member["etcd_version"]),
        _known(member["member_id"]),
        _known(member["cluster_id"]),
        str(member["incarnation"]),
    )


def _known(text: str | None) -> str:
    return UNKNOWN if text is None else clipped(text, VERSION_WIDTH)


def _note(member: Document) -> str:
    if member["local"]:
        return "this node"
    if member["own_cluster"] is False:
        return "of another cluster"
    match member["kind"]:
        case "original":
            return "original"
        case "unreadable":
            reason = clipped(member["unreadable"], REASON_WIDTH)
            return f"not understood: {reason}"
        case "silent":
            return "says nothing"
        case _:
            return ""
