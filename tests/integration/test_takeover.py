"""Taking over, in place, the data directory that the original left behind."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import TestCase

from e2d.etcd.examination import Examination
from e2d.model import Holds
from tests.etcd import original
from tests.integration.bare import BareEtcd, binary


class Takeover:
    """A directory of etcd 3.4, and the etcd that goes on with it."""

    line: str
    port: int

    def setUp(self) -> None:
        """Given the directory as a kill -9 left it."""
        if not binary(self.line, "etcd").exists():
            self.skipTest(f"there is no etcd {self.line}")
        root = Path(self.mktemp()).absolute()
        root.mkdir()
        self.path = original.unpack(root)
        self.etcd = BareEtcd(
            self.line, self.path, self.port, root / "log", state="existing"
        )
        self.addCleanup(self.etcd.kill)

    def examine(self) -> Holds:
        """What is in it."""
        state = Examination(
            path=str(self.path), state_directory=None, peer_url=original.PEER_URL
        ).examine(0.0)
        assert isinstance(state, Holds), state
        return state

    def take_over(self) -> None:
        """Start etcd on it, as the member that it holds."""
        name = self.examine().name
        assert name is not None
        self.etcd.name = name
        self.etcd.start()
        self.etcd.wait_until_ready()

    def test_keys(self) -> None:
        """Every key of the original is there, and what was deleted is not."""
        self.take_over()
        keys = self.etcd.ctl("get", "--prefix", "--keys-only", "/app/").split()
        self.assertEqual(len(keys), 39)
        self.assertNotIn("/app/key005", keys)
        value = self.etcd.ctl("get", "--print-value-only", "/app/key000")
        self.assertEqual(value, "value-0-raw\n")

    def test_identity(self) -> None:
        """It is the same member of the same cluster, at a revision not below."""
        self.take_over()
        status = json.loads(self.etcd.ctl("endpoint", "status", "-w", "json"))
        header = status[0]["Status"]["header"]
        self.assertEqual(header["member_id"], original.MEMBER_ID)
        self.assertEqual(header["cluster_id"], original.CLUSTER_ID)
        self.assertGreaterEqual(header["revision"], 47)

    def test_again(self) -> None:
        """What is written after the takeover is there after the next start too."""
        self.take_over()
        self.etcd.ctl("put", "/app/new", "written")
        self.etcd.kill()
        self.assertEqual(self.examine().name, original.NAME)
        self.take_over()
        self.assertEqual(
            self.etcd.ctl("get", "--print-value-only", "/app/new"), "written\n"
        )

    def test_examined_while_it_runs(self) -> None:
        """Looking while etcd has its database open neither waits nor disturbs it."""
        self.take_over()
        state = self.examine()
        self.assertIsNone(state.name)
        self.assertEqual(state.member_id, original.MEMBER_ID)
        self.assertEqual(self.etcd.ctl("put", "/app/new", "written"), "OK\n")


class TakeoverBy34Tests(Takeover, TestCase):
    """By the line of etcd that the original had inside."""

    line = "3.4"
    port = 23100


class TakeoverBy35Tests(Takeover, TestCase):
    """By the line after it."""

    line = "3.5"
    port = 23110
