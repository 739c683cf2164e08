"""
The table of ``docs/timings.rst``: memberlist's formulas beside simulated rings.

``python -m tests.simulation.timings`` prints it.
"""

# ruff: noqa: T201 - a table is printed

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from statistics import median

from e2d.swim.messages import Rank
from e2d.swim.scaling import suspicion_span, transmissions
from e2d.swim.settings import LAN, LOCAL, WAN, Settings
from e2d.testing.swim_host import SimulatedHost
from e2d.testing.swim_simulation import SwimSimulation

SIZES = (3, 5, 20, 50, 200)
PROFILES = {"lan": LAN, "wan": WAN, "local": LOCAL}
RUNS = {3: 200, 5: 200, 20: 60, 50: 30, 200: 8}
STEP = 0.02
PATIENCE = 600.0

HEADER = (
    "profile",
    "nodes",
    "suspicion, shortest",
    "suspicion, longest",
    "broadcasts sent",
    "first knows: median",
    "all know: median",
    "all know: 95 %",
    "news reaches all: median",
    "news reaches all: 95 %",
)


def main() -> None:
    """Print the table, as reStructuredText."""
    print(".. csv-table::\n   :header-rows: 1\n")
    print(_row(HEADER))
    for profile, settings in PROFILES.items():
        for size in SIZES:
            print(_row(_measured(profile, settings, size)), flush=True)


def _measured(profile: str, settings: Settings, size: int) -> Iterator[object]:
    span = suspicion_span(settings, size)
    yield from (profile, size, _seconds(span.shortest), _seconds(span.longest))
    yield transmissions(settings.retransmit_mult, size)
    runs = [_run(settings, size, seed) for seed in range(RUNS[size])]
    firsts, alls, spreads = zip(*runs, strict=True)
    yield from (_seconds(median(firsts)), _seconds(median(alls)), _late(alls))
    yield from (_seconds(median(spreads)), _late(spreads))


def _run(settings: Settings, size: int, seed: int) -> tuple[float, float, float]:
    """When the first knows of a death, when all do, and when all know news."""
    simulation = SwimSimulation(seed=seed, size=size, settings=settings)
    for host in list(simulation.hosts):
        simulation.start(host, simulation.seeds())
    simulation.run(60.0)
    teller = simulation.hosts[0]
    simulation.update(teller, b"news")
    spread = _until(simulation, lambda host: _meta(host, teller) == b"news", all)
    simulation.run(settings.probe_interval * simulation.random.random())
    victim = simulation.hosts[-1]
    simulation.crash(victim)
    gone = partial(_is_gone, victim)
    first = _until(simulation, gone, any)
    return first, first + _until(simulation, gone, all), spread


def _until(
    simulation: SwimSimulation,
    holds: Callable[[SimulatedHost], bool],
    quantifier: Callable[[Iterable[bool]], bool],
) -> float:
    began = simulation.now
    while not quantifier(holds(each) for each in simulation.hosts if each.runs):
        assert simulation.now - began < PATIENCE
        simulation.run(STEP)
    return simulation.now - began


def _is_gone(victim: SimulatedHost, host: SimulatedHost) -> bool:
    assert host.swim is not None
    peer = host.swim.peer(victim.name)
    return peer is None or peer.rank is Rank.DEAD


def _meta(host: SimulatedHost, other: SimulatedHost) -> bytes | None:
    assert host.swim is not None
    peer = host.swim.peer(other.name)
    return None if peer is None else peer.meta


def _late(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return _seconds(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))])


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _row(values: Iterable[object]) -> str:
    return "   " + ", ".join(f'"{value}"' for value in values)


if __name__ == "__main__":
    main()
