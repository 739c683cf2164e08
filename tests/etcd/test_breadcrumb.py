"""Tests of `e2d.etcd.breadcrumb`; what needs a volume is in `tests.integration`."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.breadcrumb import Breadcrumb, find_breadcrumb, keep_breadcrumb
from e2d.model import ClusterID, MemberID, NodeID, NodeName


class BreadcrumbTests(SynchronousTestCase):
    """A breadcrumb says which member this host last held."""

    def setUp(self) -> None:
        """Given a data directory and a state directory."""
        root = Path(self.mktemp()).absolute()
        self.data = root / "volume" / "data"
        self.data.mkdir(parents=True)
        self.state = root / "state"
        self.breadcrumb = Breadcrumb(
            data_directory=str(self.data),
            node_id=NodeID("0123456789abcdef"),
            name=NodeName("n1"),
            member_id=MemberID(0x502CA7132AB14E67),
            cluster_id=ClusterID(0xEF5D1C4B9EE66CDE),
        )

    def keep(self) -> None:
        """Keep it in the state directory, without a warning."""
        problems = keep_breadcrumb(self.breadcrumb, str(self.state))
        self.assertEqual(problems, [])

    def find(self) -> Breadcrumb | None:
        """What is found."""
        found = find_breadcrumb(str(self.data), str(self.state))
        assert found is not None
        self.assertTrue(os.path.exists(found[0]))
        return found[1]

    def test_none(self) -> None:
        """On a fresh host there is none."""
        self.assertIsNone(find_breadcrumb(str(self.data), str(self.state)))

    def test_found(self) -> None:
        """What was kept is found."""
        self.keep()
        self.assertEqual(self.find(), self.breadcrumb)

    def test_unnamed(self) -> None:
        """A member of unknown name is found as such."""
        self.breadcrumb = evolve(self.breadcrumb, name=None)
        self.keep()
        self.assertEqual(self.find(), self.breadcrumb)

    def test_renewed(self) -> None:
        """The last one kept is found."""
        self.keep()
        self.breadcrumb = evolve(self.breadcrumb, name=NodeName("n2"))
        self.keep()
        self.assertEqual(self.find(), self.breadcrumb)

    def test_kept_once(self) -> None:
        """Keeping the same again writes nothing."""
        self.keep()
        (file,) = self.state.iterdir()
        before = file.stat().st_ino
        self.keep()
        self.assertEqual(file.stat().st_ino, before)

    def test_of_another_directory(self) -> None:
        """A breadcrumb is of one data directory only."""
        self.keep()
        other = str(self.data.parent / "other")
        self.assertIsNone(find_breadcrumb(other, str(self.state)))

    def test_damaged(self) -> None:
        """A damaged one still says that there was something."""
        self.keep()
        (file,) = self.state.iterdir()
        file.write_text('{"node": ')
        self.assertIsNone(self.find())

    def test_beside_what_is_above(self) -> None:
        """It is found beside any directory above that may have been a mount point."""
        self.keep()
        (file,) = self.state.iterdir()
        beside = self.data.parent.parent / f".e2d-{file.name}"
        file.rename(beside)
        self.assertEqual(
            find_breadcrumb(str(self.data), None), (str(beside), self.breadcrumb)
        )

    def test_cannot_be_kept(self) -> None:
        """Where it cannot be kept one line says so."""
        self.state.write_text("")
        (problem,) = keep_breadcrumb(self.breadcrumb, str(self.state))
        self.assertIn(f"{self.state}/breadcrumb-", problem)
        self.assertEqual(problem.count("\n"), 0)

    def test_nowhere(self) -> None:
        """On the root volume and without a state directory none is kept."""
        if os.stat(self.data).st_dev != os.stat("/").st_dev:
            self.skipTest("the temporary directory is on a volume of its own")
        self.assertEqual(keep_breadcrumb(self.breadcrumb, None), [])
        self.assertIsNone(find_breadcrumb(str(self.data), None))
