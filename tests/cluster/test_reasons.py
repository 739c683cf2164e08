"""Tests of `e2d.cluster.reasons`."""

from __future__ import annotations

import re
from pathlib import Path

from click import Context

from twisted.trial.unittest import SynchronousTestCase

from e2d.cli.program import program
from e2d.cluster.reasons import Code

PLANNED = {
    *("certs", "discover", "gossip", "member", "recover", "replay", "scale"),
    *("snapshot", "status", "restart"),
}

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


class RemediesTests(SynchronousTestCase):
    """What a message tells an operator to type can be typed."""

    def test_only_commands_that_exist(self) -> None:
        """No message and no page names a command that this release does not have."""
        root = RUNBOOK.parents[1]
        sources = [*(root / "e2d").rglob("*.py"), *RUNBOOK.glob("*.rst")]
        missing = PLANNED - set(program.list_commands(Context(program)))
        pattern = re.compile(rf"\be2d ({'|'.join(sorted(missing))})\b(?! ring)")
        named = {
            str(path.relative_to(root)): pattern.findall(path.read_text())
            for path in sources
            if pattern.search(path.read_text())
        }
        self.assertEqual(named, {})
