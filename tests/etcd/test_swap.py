"""Tests of `e2d.etcd.swap`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.swap import finish_swap, intended_swap, set_aside
from e2d.interfaces import DataDirectoryError

NOW_AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
NAME = "20260301T123015Z-older-generation-1"


class Disk(SynchronousTestCase):
    """A data directory with a member in it."""

    def setUp(self) -> None:
        """Given ``member/`` with a file that must never be lost."""
        self.path = Path(self.mktemp()).absolute()
        self.member = self.path / "member"
        self.member.mkdir(parents=True)
        (self.member / "data").write_text("precious")
        self.own = self.path / "e2d"
        self.own.mkdir()
        self.intent = self.own / "swap.json"
        self.target = self.own / "aside" / NAME

    def assert_set_aside(self) -> None:
        """It is aside, whole, and nothing is left to do."""
        self.assertFalse(self.member.exists())
        self.assertEqual((self.target / "member" / "data").read_text(), "precious")
        self.assertIsNone(intended_swap(str(self.path)))


class SetAsideTests(Disk):
    """`set_aside` moves, and never deletes."""

    def set_aside(self, reason: str = "older generation") -> str:
        """Set it aside."""
        return set_aside(str(self.path), reason, NOW_AT)

    def test_set_aside(self) -> None:
        """It is moved to a place whose name says when and why."""
        self.assertEqual(self.set_aside(), str(self.target / "member"))
        self.assert_set_aside()

    def test_names_differ(self) -> None:
        """Two in one second do not meet."""
        first = self.set_aside()
        self.member.mkdir()
        self.assertNotEqual(self.set_aside(), first)
        self.assertEqual(len(os.listdir(self.own / "aside")), 2)

    def test_hostile_reason(self) -> None:
        """A reason cannot lead out of the directory."""
        where = self.set_aside("../../Élan vital/" + "x" * 200)
        self.assertTrue(where.startswith(str(self.own / "aside" / "20260301T")))
        self.assertTrue(os.path.isdir(where))

    def test_limit(self) -> None:
        """At the limit the message names what to look at, and all stays in place."""
        for number in range(8):
            (self.own / "aside" / f"x-{number}").mkdir(parents=True)
        error = self.assertRaises(DataDirectoryError, self.set_aside)
        self.assertIn("8 directories lie aside already", str(error))
        self.assertIn(f"rm -r {self.own}/aside/", str(error))
        self.assertTrue((self.member / "data").exists())
        self.assertEqual(len(os.listdir(self.own / "aside")), 8)

    def test_unfinished(self) -> None:
        """Nothing is set aside while a swap is unfinished."""
        self.intent.write_text('{"aside": "x-1"}')
        error = self.assertRaises(DataDirectoryError, self.set_aside)
        self.assertIn("finish it first", str(error))
        self.assertTrue((self.member / "data").exists())


class FinishSwapTests(Disk):
    """A kill after each step of a swap: the next e2d finishes it."""

    def finish(self) -> None:
        """As the next e2d does, killed after it in turn and run once more."""
        finish_swap(str(self.path))
        finish_swap(str(self.path))

    def test_nothing_intended(self) -> None:
        """Without an intent nothing moves."""
        self.finish()
        self.assertTrue((self.member / "data").exists())

    def test_intent_half_written(self) -> None:
        """An intent that was not yet whole was none."""
        (self.own / ".swap.json.tmp").write_text('{"asi')
        self.finish()
        self.assertTrue((self.member / "data").exists())

    def test_after_the_intent(self) -> None:
        """Killed with only the intent written."""
        self.intent.write_text(f'{{"aside": "{NAME}"}}')
        self.finish()
        self.assert_set_aside()

    def test_after_the_first_directory(self) -> None:
        """Killed with the room for all that is set aside made."""
        self.intent.write_text(f'{{"aside": "{NAME}"}}')
        (self.own / "aside").mkdir()
        self.finish()
        self.assert_set_aside()

    def test_after_the_second_directory(self) -> None:
        """Killed with the room for this one made."""
        self.intent.write_text(f'{{"aside": "{NAME}"}}')
        self.target.mkdir(parents=True)
        self.finish()
        self.assert_set_aside()

    def test_after_the_rename(self) -> None:
        """Killed with all moved and the intent not yet cleared."""
        self.intent.write_text(f'{{"aside": "{NAME}"}}')
        self.target.mkdir(parents=True)
        self.member.rename(self.target / "member")
        self.finish()
        self.assert_set_aside()

    def test_both(self) -> None:
        """With a directory at either place a person must look; nothing is touched."""
        self.intent.write_text(f'{{"aside": "{NAME}"}}')
        (self.target / "member").mkdir(parents=True)
        error = self.assertRaises(DataDirectoryError, finish_swap, str(self.path))
        self.assertIn("both of them exist", str(error))
        self.assertTrue(self.intent.exists())
        self.assertTrue((self.member / "data").exists())

    def test_neither(self) -> None:
        """With none at either place too: the intent does not hide that it is gone."""
        self.intent.write_text(f'{{"aside": "{NAME}"}}')
        self.member.rename(self.path / "elsewhere")
        error = self.assertRaises(DataDirectoryError, finish_swap, str(self.path))
        self.assertIn("neither of them exist", str(error))
        self.assertTrue(self.intent.exists())

    def test_hostile_intent(self) -> None:
        """An intent that leads out of the directory is refused."""
        self.intent.write_text('{"aside": "../../../elsewhere"}')
        error = self.assertRaises(DataDirectoryError, finish_swap, str(self.path))
        self.assertIn("not a record of e2d", str(error))
        self.assertTrue((self.member / "data").exists())
