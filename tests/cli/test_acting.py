"""Tests of `e2d.cli.acting`, as far as it goes without a daemon."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.api.documents import status_document
from e2d.cli.acting import restart_failure
from e2d.cluster.report import Report
from e2d.testing.daemon import failed_report, serving_report, starting_report


def status(report: Report, *, turns: int = 27) -> dict[str, Any]:
    """What the daemon says after so many turns."""
    return status_document(evolve(report, loop=evolve(report.loop, turns=turns)))


def halted(report: Report) -> Report:
    """The same, and a person has to act."""
    plan = evolve(
        report.plan, kind="halt", code="E2D-H01", reason="etcd failed 10 times"
    )
    return evolve(report, plan=plan)


class RestartFailureTests(SynchronousTestCase):
    """`restart_failure`."""

    def failure(self, status: dict[str, Any]) -> str | None:
        """After two starts, and 27 turns until etcd was stopped."""
        return restart_failure(status, starts=2, turns=27)

    def test_patience(self) -> None:
        """What is still starting may come."""
        self.assertIsNone(self.failure(status(starting_report())))

    def test_halt_of_before(self) -> None:
        """A halt that was decided before etcd was stopped means nothing."""
        self.assertIsNone(self.failure(status(halted(failed_report()))))
        next_turn = status(halted(failed_report()), turns=28)
        self.assertIsNone(self.failure(next_turn))

    def test_halt(self) -> None:
        """One that was decided since is the end of the matter."""
        later = status(halted(failed_report()), turns=29)
        self.assertEqual(
            self.failure(later),
            "etcd was stopped and is not started (E2D-H01): etcd failed 10 times",
        )

    def started(self, report: Report) -> Report:
        """The same, one start later."""
        return evolve(report, child=evolve(report.child, starts=3))

    def test_started_and_halted(self) -> None:
        """An etcd that was started is not said not to be."""
        later = status(self.started(halted(serving_report())), turns=29)
        self.assertEqual(
            self.failure(later),
            "etcd was restarted, but (E2D-H01): etcd failed 10 times",
        )

    def test_start_failed(self) -> None:
        """A start that failed says why, and what to do."""
        self.assertEqual(
            self.failure(status(self.started(failed_report()))),
            "etcd does not start: 127.0.0.1:2379 is in use by another process;"
            " stop that process or change clientAddr",
        )
