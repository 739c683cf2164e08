"""Tests of `e2d.etcd.disk`."""

from __future__ import annotations

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.disk import explain


def message(number: int) -> str:
    """What is said about an error."""
    error = OSError(number, os.strerror(number), "/d/e2d/node.json")
    return explain(error, "/d", "write the record").message


class ExplainTests(SynchronousTestCase):
    """`explain` says in one line what happened and what to do."""

    def test_disk_full(self) -> None:
        """A full disk."""
        self.assertEqual(
            message(errno.ENOSPC),
            "/d/e2d/node.json: could not write the record: No space left on device; "
            "the disk is full: free some space or enlarge it",
        )

    def test_read_only(self) -> None:
        """A disk that went read-only."""
        self.assertIn("mount it read-write", message(errno.EROFS))

    def test_permission(self) -> None:
        """A directory of another user."""
        self.assertIn("chown it to the user e2d runs as", message(errno.EACCES))

    def test_failed_disk(self) -> None:
        """A broken disk."""
        self.assertIn("replace the disk", message(errno.EIO))

    def test_another(self) -> None:
        """What has no advice is said all the same, without a path of its own too."""
        error = explain(OSError(errno.EBADF, "Bad file descriptor"), "/d", "sync")
        self.assertEqual(error.message, "/d: could not sync: Bad file descriptor")
