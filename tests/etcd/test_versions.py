"""Versions of etcd: read, told apart, refused."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.versions import (
    NotEtcd,
    corruption_flags,
    corruption_gates,
    line_of,
    parse_version,
    refusal,
    version_warnings,
)
from e2d.model import ChildProblem, EtcdVersion, ProblemKind


def _refused(
    version: EtcdVersion, size: int = 3, allowed: tuple[str, ...] = ()
) -> ChildProblem | None:
    return refusal(version, cluster_size=size, allowed=allowed)


class ParseVersionTests(SynchronousTestCase):
    """What ``etcd --version`` prints."""

    def test_real_output(self) -> None:
        """The first line has it."""
        output = (
            b"etcd Version: 3.4.23\nGit SHA: Not provided\nGo Version: go1.19.8\n"
            b"Go OS/Arch: linux/amd64\n"
        )
        self.assertEqual(parse_version(output), EtcdVersion(3, 4, 23))

    def test_after_warnings(self) -> None:
        """Lines before it, as some builds print, do no harm."""
        output = b"[WARNING] x\netcd Version: 3.6.0-rc.1\n"
        self.assertEqual(parse_version(output), EtcdVersion(3, 6, 0))

    def test_something_else(self) -> None:
        """Another program is not etcd."""
        for output in (b"", b"etcdctl version: 3.5.16\n", b"etcd Version: 3.5\n"):
            self.assertRaises(NotEtcd, parse_version, output)

    @given(st.binary(max_size=500))
    def test_any_bytes(self, output: bytes) -> None:
        """Any bytes are a version or not etcd."""
        with contextlib.suppress(NotEtcd):
            parse_version(output)


class LinesTests(SynchronousTestCase):
    """How the lines differ (C21)."""

    def test_known_lines(self) -> None:
        """3.4 to 3.7, and no other."""
        known = [minor for minor in range(10) if line_of(EtcdVersion(3, minor, 9))]
        self.assertEqual(known, [4, 5, 6, 7])

    def test_corruption_checks(self) -> None:
        """Flags before 3.6, feature gates since, and only what the release knows."""
        initial = ("experimental-initial-corrupt-check", "true")
        compact = ("experimental-compact-hash-check-enabled", "true")
        self.assertEqual(corruption_flags(EtcdVersion(3, 4, 23)), (initial,))
        self.assertEqual(corruption_flags(EtcdVersion(3, 5, 4)), (initial,))
        self.assertEqual(corruption_flags(EtcdVersion(3, 5, 5)), (initial, compact))
        self.assertEqual(corruption_flags(EtcdVersion(3, 6, 14)), ())
        self.assertEqual(
            corruption_gates(EtcdVersion(3, 7, 1)),
            (("InitialCorruptCheck", "true"), ("CompactHashCheck", "true")),
        )


class RefusalTests(SynchronousTestCase):
    """Releases known to be bad."""

    def test_good_releases(self) -> None:
        """What the distributions have today runs, without a warning."""
        for version in (
            EtcdVersion(3, 4, 23),
            EtcdVersion(3, 5, 16),
            EtcdVersion(3, 6, 14),
            EtcdVersion(3, 7, 1),
        ):
            self.assertIsNone(_refused(version))
            self.assertEqual(version_warnings(version), ())

    def test_bad_releases(self) -> None:
        """A cluster does not run on a release that loses data."""
        for version in (
            EtcdVersion(3, 4, 20),
            EtcdVersion(3, 4, 21),
            EtcdVersion(3, 5, 0),
            EtcdVersion(3, 5, 4),
            EtcdVersion(3, 5, 5),
        ):
            self.assertEqual(_refused(version).kind, ProblemKind.VERSION_REFUSED)

    def test_reason_and_way_out(self) -> None:
        """The refusal says what may happen, where to read on, and both ways out."""
        problem = _refused(EtcdVersion(3, 5, 1))
        self.assertIn("etcd#13766", problem.message)
        self.assertIn("install etcd 3.5.6 or later", problem.remedy)
        self.assertIn('etcd.allowVersion: ["3.5.1"]', problem.remedy)

    def test_one_node(self) -> None:
        """A single node runs it, and says so on every status."""
        version = EtcdVersion(3, 5, 1)
        self.assertIsNone(_refused(version, size=1))
        self.assertIn("etcd 3.5.1 is known to be bad", version_warnings(version)[0])

    def test_allowed_by_name(self) -> None:
        """The operator can accept exactly this release."""
        version = EtcdVersion(3, 5, 1)
        self.assertIsNone(_refused(version, allowed=("3.5.1",)))
        self.assertIsNotNone(_refused(version, allowed=("3.5.2",)))

    def test_other_lines(self) -> None:
        """A line that e2d does not know is refused even to one node."""
        for version in (EtcdVersion(3, 3, 27), EtcdVersion(3, 8, 0)):
            problem = _refused(version, size=1, allowed=(str(version),))
            self.assertIn("3.4 to 3.7", problem.message)
