"""Each changed rule of the protocol is noticed, by a property and not by a crash."""

from __future__ import annotations

import os

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.testing.swim_host import MakeSwim
from e2d.testing.swim_simulation import PropertyViolated
from e2d.testing.swim_trial import Trial
from tests.simulation.mutants import DRIVING_MUTANTS, MUTANTS

LONG = bool(os.environ.get("E2D_LONG"))

QUICK = 20
"""Mutants that more seeds than this find are for the long run."""


def noticed_by(trial: Trial, seeds: int) -> tuple[str, int] | None:
    """Which property notices, and after how many seeds."""
    for seed in range(seeds):
        try:
            trial.run(seed)
        except PropertyViolated as violation:
            return violation.property, seed + 1
    return None


class MutantTests(SynchronousTestCase):
    """The simulation is worth what it catches."""

    timeout = 3600.0

    def noticed(self, name: str, trial: Trial, seeds: int, by: frozenset[str]) -> None:
        """By one of its properties, within so many seeds."""
        found = noticed_by(trial, seeds)
        assert found is not None, f"nothing notices that {name}"
        self.assertIn(found[0], by, name)

    def test_there_are_enough(self) -> None:
        """Each with a rule of its own."""
        self.assertGreaterEqual(len(MUTANTS), 15)
        rules = {(each.module, each.old, each.new) for each in MUTANTS}
        self.assertEqual(len(rules), len(MUTANTS))

    def test_an_unchanged_core_is_not_noticed(self) -> None:
        """Loading a core anew changes nothing."""
        same = evolve(MUTANTS[0], new=MUTANTS[0].old)
        make: MakeSwim = same.load()
        self.assertIsNone(noticed_by(evolve(same.trial, make=make), 3))

    def test_core(self) -> None:
        """Mutants of the core."""
        for mutant in MUTANTS:
            if LONG or mutant.took <= QUICK:
                trial = evolve(mutant.trial, make=mutant.load())
                seeds = SLACK * mutant.took
                self.noticed(mutant.name, trial, seeds, mutant.properties)

    def test_driving(self) -> None:
        """Mutants of how it is driven."""
        for name, trial, properties in DRIVING_MUTANTS:
            self.noticed(name, trial, 60, properties)


SLACK = 5
"""So many times more seeds than it took when it was listed."""
