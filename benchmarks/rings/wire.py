"""What a member puts on the wire: each ring has a loopback of its own, which counts."""

from __future__ import annotations

from rings.pair import SIZE, Pair, pair
from rings.processes import Network, own_network

__all__ = ["sent"]

AIM = 1.0
SETTLE_SECONDS = 30.0
"""The first exchange of states comes at a random time before that, the others at the
same distance from it: any time that is a multiple of that has as many."""

UPDATE_SECONDS = 3.0
"""From one update of somebody's metadata to the next, while there are some."""


def sent(line: str, seconds: float) -> dict[str, object]:
    """Part (d)."""
    with (
        own_network() as our_network,
        own_network() as their_network,
        pair(line, 1, our_network.command, their_network.command) as both,
    ):
        networks = (our_network, their_network)
        both.crowd.listen(SETTLE_SECONDS)
        before = _sent(networks)
        both.crowd.listen(seconds)
        quiet = _rates(before, _sent(networks), seconds)
        before = _sent(networks)
        _keep_updating(both, seconds)
        updating = _rates(before, _sent(networks), seconds)
    print(f"wire: bytes a second of a member of a ring of {SIZE}, over {seconds:.0f} s")
    return {
        "memberlist": line,
        "idle": _line("idle", line, *quiet),
        "updates": _line("with updates", line, *updating),
        "aim_met": quiet[0] <= AIM * quiet[1],
    }


def _sent(networks: tuple[Network, Network]) -> list[int]:
    return [each.bytes_sent() for each in networks]


def _rates(before: list[int], after: list[int], seconds: float) -> list[float]:
    return [
        (new - old) / seconds / SIZE for old, new in zip(before, after, strict=True)
    ]


def _keep_updating(both: Pair, seconds: float) -> None:
    """One member of each ring has other metadata of the same size, again and again."""
    names = sorted(both.ours.alive), sorted(both.theirs.alive)
    our_processes = {n: each for each in both.our_processes for n in each.names}
    their_processes = {n: each for each in both.their_processes for n in each.names}
    for turn in range(round(seconds / UPDATE_SECONDS)):
        our_name, their_name = (each[turn % SIZE] for each in names)
        our_processes[our_name].tell("update", peer=our_name)
        metadata = both.ours.ready[our_name]["metadata"]
        changed = f"{metadata[:-2]}{turn:02x}"
        their_processes[their_name].tell("update-meta", data=changed)
        both.crowd.listen(UPDATE_SECONDS)


def _line(what: str, line: str, ours: float, theirs: float) -> dict[str, float]:
    print(
        f"{what:12} ours {ours:6.1f}, memberlist {line} {theirs:6.1f}: ours sends"
        f" {ours / theirs:.3f} times as much"
    )
    return {
        "bytes_per_second": round(ours, 1),
        "memberlist_bytes_per_second": round(theirs, 1),
        "ratio": round(ours / theirs, 3),
    }
