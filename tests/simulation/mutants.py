"""
Cores with one rule changed each, and the property that has to notice.

A mutant is a copy of `e2d.swim`'s modules of behaviour, loaded under a name of its own
with one piece of text replaced. Values (messages, effects, settings) are shared.
"""

# ruff: noqa: E501 - lines of the sources, as they are there

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import cast

from attrs import field, frozen

import e2d.swim
from e2d.testing.swim_host import MakeSwim
from e2d.testing.swim_simulation import Driving
from e2d.testing.swim_trial import Trial

__all__ = ["DRIVING_MUTANTS", "MUTANTS", "Mutant"]

_SOURCES = Path(e2d.swim.__path__[0])
_BEHAVIOUR = (
    "awareness",
    "broadcasts",
    "claims",
    "exchanges",
    "gossip",
    "members",
    "probes",
    "protocol",
    "relays",
    "scaling",
    "suspicion",
    "timers",
)
_SERIAL = count(1)

STORM = Trial(size=5)
HEAVY = Trial(size=4, fault_rate=0.4)
QUIET = Trial(size=5, storm=0.0)
LARGE = Trial(size=30, storm=0.0)


@frozen(kw_only=True)
class Mutant:
    """
    A changed rule.

    :param name: what is wrong with it.
    :param properties: one of them must notice.
    :param trial: in what weather.
    :param took: so many seeds, when it was listed.
    """

    name: str
    module: str
    old: str
    new: str
    properties: frozenset[str] = field(converter=frozenset)
    trial: Trial = STORM
    took: int = 1

    def load(self) -> MakeSwim:
        """The changed core."""
        package = f"e2d_swim_mutant_{next(_SERIAL)}"
        finder = _Finder(package, self)
        sys.meta_path.insert(0, finder)
        try:
            protocol = import_module(f"{package}.protocol")
        finally:
            sys.meta_path.remove(finder)
        assert finder.applied, f"{self.name}: {self.module} was not loaded"
        return cast("MakeSwim", protocol.Swim)


class _Finder(MetaPathFinder, Loader):
    """Loads the modules of one mutant."""

    def __init__(self, package: str, mutant: Mutant) -> None:
        self._package = package
        self._mutant = mutant
        self.applied = False

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Ours are the package, and the modules in it."""
        package, _, module = fullname.partition(".")
        if package != self._package:
            return None
        spec = ModuleSpec(fullname, self, is_package=not module)
        spec.origin = str(_SOURCES / f"{module or '__init__'}.py")
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Compile its source, changed."""
        name = module.__name__.partition(".")[2]
        if not name:
            return
        path = _SOURCES / f"{name}.py"
        source = path.read_text()
        if name == self._mutant.module:
            assert source.count(self._mutant.old) == 1, self._mutant.name
            source = source.replace(self._mutant.old, self._mutant.new)
            self.applied = True
        for each in _BEHAVIOUR:
            source = source.replace(
                f"from e2d.swim.{each} import", f"from {self._package}.{each} import"
            )
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - ours


MUTANTS = (
    Mutant(
        name="a claim of the same incarnation is believed again",
        module="claims",
        old="elif claim.incarnation > record.state.incarnation:\n            self._bel",
        new="elif claim.incarnation >= record.state.incarnation:\n            self._bel",
        properties={"resurrection", "chatter", "haste", "convergence", "detection"},
    ),
    Mutant(
        name="an older suspicion counts",
        module="claims",
        old="""        record = self._ring.get(claim.node)
        if record is None or claim.incarnation < record.state.incarnation:
            return
        if record.suspicion is not None:""",
        new="""        record = self._ring.get(claim.node)
        if record is None:
            return
        if record.suspicion is not None:""",
        properties={
            "rewind",
            "chatter",
            "haste",
            "calm",
            "convergence",
            "aftermath",
            "invention",
        },
        took=2,
    ),
    Mutant(
        name="nothing is refuted",
        module="claims",
        old="        if not self._raise_incarnation(accused):\n            return\n",
        new="        return\n",
        properties={"convergence", "calm", "self-doubt", "move", "aftermath"},
    ),
    Mutant(
        name="refuted without a higher incarnation",
        module="claims",
        old="        raised = max(self._incarnation, above) + 1\n",
        new="        raised = max(self._incarnation, above)\n",
        properties={"convergence", "move", "aftermath", "chatter"},
    ),
    Mutant(
        name="a suspect has no time to refute",
        module="suspicion",
        old="        return self._since + timeout(self._span, len(self._heard) - 1)\n",
        new="        return self._since + 0.1\n",
        properties={"haste"},
    ),
    Mutant(
        name="confirmations do not hasten",
        module="suspicion",
        old="        self._heard.add(by)\n        return True\n",
        new="        return True\n",
        properties={"detection"},
        trial=LARGE,
    ),
    Mutant(
        name="a suspect is never found dead",
        module="claims",
        old="""        self._timers.set(SuspicionEnds(record.name), record.suspicion.deadline)
        self._tell""",
        new="        self._tell",
        properties={"detection", "convergence", "move"},
        took=2,
    ),
    Mutant(
        name="deaths are told nobody",
        module="claims",
        old="        self._gossip.spread(claim, done)\n        rank = Rank.LEFT",
        new="        rank = Rank.LEFT",
        properties={"leave", "convergence", "move", "detection"},
    ),
    Mutant(
        name="who leaves is held for dead",
        module="claims",
        old="rank = Rank.LEFT if claim.sender == claim.node else Rank.DEAD",
        new="rank = Rank.DEAD",
        properties={"leave", "haste"},
    ),
    Mutant(
        name="a broadcast is sent for ever",
        module="broadcasts",
        old="        if count + 1 >= limit:\n",
        new="        if False:\n",
        properties={"chatter"},
    ),
    Mutant(
        name="packets are filled without looking at their size",
        module="broadcasts",
        old="            if needed <= room:\n",
        new="            if True:\n",
        properties={"size"},
        trial=Trial(size=60, storm=0.0),
    ),
    Mutant(
        name="the dead are forgotten at once",
        module="members",
        old="        return record.gone and record.since < since and not own\n",
        new="        return record.gone and not own\n",
        properties={"leave", "detection", "convergence", "resurrection", "invention"},
        took=4,
    ),
    Mutant(
        name="a state makes others dead at once",
        module="exchanges",
        old="""                claim = Suspect(incarnation=incarnation, node=node, sender=own)
                self._claims.suspect(claim, now)""",
        new="""                claim = Dead(incarnation=incarnation, node=node, sender=own)
                self._claims.dead(claim, now)""",
        properties={"haste"},
    ),
    Mutant(
        name="the name of a dead peer is kept for ever",
        module="claims",
        old="            return now - record.since > self._settings.dead_reclaim\n",
        new="            return False\n",
        properties={"replacement", "move"},
    ),
    Mutant(
        name="any claim takes over a name",
        module="claims",
        old="            if self._may_move(record, now):\n",
        new="            if True:\n",
        properties={"convergence", "move", "chatter", "calm", "aftermath", "rewind"},
        trial=HEAVY,
        took=2,
    ),
    Mutant(
        name="other metadata under the same incarnation",
        module="claims",
        old="        if not self._raise_incarnation(0):\n            return\n",
        new="",
        properties={"update", "convergence"},
    ),
    Mutant(
        name="pauses are not noticed",
        module="timers",
        old="if earliest is not None and now - earliest > self._late_after:",
        new="if False:",
        properties={"haste", "calm", "convergence", "aftermath", "bystanders"},
        trial=QUIET,
        took=2,
    ),
    Mutant(
        name="nobody else is asked to probe",
        module="probes",
        old="        for record in self._ring.choose(self._settings.indirect_checks, can_help):",
        new="        for record in ():",
        properties={"bystanders"},
        trial=QUIET,
    ),
)

DRIVING_MUTANTS = (
    (
        "who was lost is never asked again",
        Trial(size=5, driving=Driving(rejoin=None)),
        frozenset({"convergence", "move"}),
    ),
)
