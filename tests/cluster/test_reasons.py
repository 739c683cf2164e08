"""Tests of `e2d.cluster.reasons`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from e2d.cluster.reasons import Code

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook"


class RunbookTests(SynchronousTestCase):
    """Every code that a message may carry can be looked up."""

    def test_each_code_has_its_page_and_each_page_its_code(self) -> None:
        """The runbook's pages are exactly the codes."""
        pages = {page.stem for page in RUNBOOK.glob("E2D-*.rst")}
        self.assertEqual(pages, {code.value for code in Code})

    def test_each_page_says_what_to_do(self) -> None:
        """A page has all of its three parts."""
        for page in RUNBOOK.glob("E2D-*.rst"):
            text = page.read_text()
            for part in ("What it means", "What e2d does", "What to do"):
                self.assertIn(part, text, page.name)
