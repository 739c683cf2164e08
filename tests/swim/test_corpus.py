"""
Tests of all that decodes, with what fuzzing found worth keeping.

Each file of ``tests/fixtures/swim-corpus`` is an input for a target; ``make fuzz``
makes more of them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.swim.outcomes import lines
from tests.swim.targets import TARGETS

CORPUS = Path(__file__).parent.parent / "fixtures" / "swim-corpus"


class CorpusTests(SynchronousTestCase):
    """Nothing in the corpus makes a target fail."""

    def inputs(self, name: str) -> list[Path]:
        """The files of a target."""
        found = sorted((CORPUS / name).iterdir())
        self.assertGreater(len(found), 20)
        return found

    def replay(self, name: str) -> None:
        """Run each file, and name the one that fails."""
        for path in self.inputs(name):
            data = path.read_bytes()
            try:
                work = lines(partial(TARGETS[name], data))
            except Exception as error:
                raise AssertionError(f"{path} fails") from error
            self.assertLess(work, 100_000, path)

    def test_packets(self) -> None:
        """Packets."""
        self.replay("packets")

    def test_streams(self) -> None:
        """Streams."""
        self.replay("streams")
