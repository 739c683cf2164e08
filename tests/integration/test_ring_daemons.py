"""
Rings of whole daemons: what an operator sees of nodes that come, die and are stopped.

Each node has an etcd of its own: clusters of several are not formed from a ring yet.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterable
from typing import Any

from attrs import evolve

from e2d.gossip.originals import OriginalMember, OriginalStatus, encode_member
from e2d.model import Address
from tests.integration.commanded import PeerSettings
from tests.integration.daemon import Daemon, DaemonTestCase
from tests.integration.etcds import find_lines, free_ports
from tests.integration.gopeers import oldest_peer
from tests.integration.watching import until

KEY = "AAECAwQFBgcICQoLDA0ODw=="
OTHER = "EBESExQVFhcYGRobHB0eHw=="
LONG_SECONDS = 40.0


class RingTestCase(DaemonTestCase):
    """Makes nodes that gossip."""

    def node(self, name: str, *seeds: int, **keys: Any) -> Daemon:  # noqa: ANN401 - YAML
        """A node that was not started; `port` is where it gossips."""
        (port,) = free_ports(1)
        etcd = list(find_lines().values())[-1]
        given = {
            "overrideName": name,
            "gossipAddr": f"127.0.0.1:{port}",
            "gossip": {"profile": "local", "keys": [KEY]},
            "discovery": {"initialPeers": [f"127.0.0.1:{seed}" for seed in seeds]},
            **keys,
        }
        node = self.daemon(etcd, **given)
        self.ports[node] = port
        return node

    def setUp(self) -> None:
        """No node so far."""
        self.ports: dict[Daemon, int] = {}

    def three(self) -> tuple[Daemon, Daemon, Daemon]:
        """A ring: the first serves, the others were started after it and wait."""
        first = self.node("n1")
        first.serve()
        others = [self.node(name, self.ports[first]) for name in ("n2", "n3")]
        for each in others:
            each.start()
        nodes = (first, *others)
        self.await_ranks(nodes, n1="alive", n2="alive", n3="alive")
        return nodes  # type: ignore[return-value]

    def ranks(self, node: Daemon) -> dict[str, str]:
        """Who is in the ring, as a node tells it."""
        code, body = node.get("/status")
        ring = json.loads(body)["gossip"] if code else None
        members = ring["members"] if ring is not None else None
        return {each["name"]: each["rank"] for each in members or ()}

    def await_ranks(
        self, nodes: Iterable[Daemon], seconds: float = LONG_SECONDS, **ranks: str
    ) -> None:
        """Until all of them say so."""
        for node in nodes:
            until(
                f"the ring is {ranks}",
                lambda node=node: self.ranks(node) == ranks,  # type: ignore[misc]
                seconds,
            )


class RingTests(RingTestCase):
    """Three nodes that know the first one."""

    def test_a_ring(self) -> None:
        """Seeds are met; who is empty founds nothing beside the others (A10)."""
        first, second, _third = self.three()
        shown = second.e2d("gossip", "members")
        self.assertEqual((shown.code, shown.err), (0, ""))
        for word in ("n1", "n2", "n3", "running", "pending", "this node"):
            self.assertIn(word, shown.out)
        status = second.wait_status(
            "it waits", lambda status: status["plan"]["code"] == "E2D-W15"
        )
        self.assertIn("n1", status["plan"]["reason"])
        self.assertEqual(second.etcds(), [])
        _code, metrics = first.get("/metrics")
        self.assertIn('e2d_gossip_members{rank="alive"} 3', metrics)

    def test_a_node_dies_and_comes_back(self) -> None:
        """SIGKILL is death to the others, and it is the same node afterwards."""
        first, second, third = self.three()
        third.kill()
        self.await_ranks((first, second), n1="alive", n2="alive", n3="dead")
        third.start()
        self.await_ranks((first, second, third), n1="alive", n2="alive", n3="alive")

    def test_a_clean_stop(self) -> None:
        """A node that is told to stop says that it leaves."""
        first, second, third = self.three()
        self.assertEqual(third.stop(), 0)
        self.await_ranks((first, second), 10.0, n1="alive", n2="alive", n3="left")
        self.assertNotIn("n3 at", _deaths(first.log()))

    def test_a_node_that_stands_still(self) -> None:
        """
        SIGSTOP for longer than the others remember it: it is dead meanwhile, back at
        once, and has held nobody else for dead.
        """
        first, second, third = self.three()
        third.send(signal.SIGSTOP)
        self.await_ranks((first, second), n1="alive", n2="alive", n3="dead")
        self.await_ranks((first, second), 60.0, n1="alive", n2="alive")
        third.send(signal.SIGCONT)
        everybody = {"n1": "alive", "n2": "alive", "n3": "alive"}
        self.await_ranks((first, second, third), 15.0, **everybody)
        self.assertEqual(_deaths(third.log()), "")

    def test_remembered_peers(self) -> None:
        """A node whose seeds are all wrong by now finds those that it once met."""
        first, second, third = self.three()
        until("they are on disk", lambda: _is_remembered(third, self.ports[first]))
        third.stop()
        third.configure(discovery=None)
        third.start()
        self.await_ranks((third,), n1="alive", n2="alive", n3="alive")
        self.await_ranks((first, second), n1="alive", n2="alive", n3="alive")

    def test_other_keys(self) -> None:
        """Keys change on all nodes while they run, and survive a restart."""
        nodes = self.three()
        first, _second, third = nodes
        path = first.root / "key"
        path.write_text(OTHER)
        changed = first.e2d("gossip", "keys", "rotate", "--key-file", str(path))
        self.assertEqual((changed.code, changed.err), (0, ""))
        self.assertIn("all nodes use the key", changed.out)
        listed = json.loads(third.e2d("gossip", "keys", "list", "--json").out)["nodes"]
        self.assertEqual(set(listed), {"n1", "n2", "n3"})
        self.assertEqual(len({each["primary"] for each in listed.values()}), 1)
        third.kill()
        third.start()
        self.await_ranks(nodes, n1="alive", n2="alive", n3="alive")
        for node in nodes:
            self.assertEqual(_deaths(node.log()).replace("n3 at", ""), "")
            self.assertNotIn(KEY, node.log())
            self.assertNotIn(OTHER, node.log())

    def test_a_foreign_key(self) -> None:
        """Who has another key is not in the ring, and both are told why."""
        first = self.node("n1")
        first.serve()
        stranger = self.node(
            "n2",
            self.ports[first],
            gossip={"profile": "local", "keys": [OTHER]},
        )
        stranger.start()
        until("it is told", lambda: "no key of ours" in first.log())
        stranger.wait_status(
            "it is told there, too",
            lambda status: (
                f"127.0.0.1:{self.ports[first]}" in status["gossip"]["unmet"]
            ),
        )
        self.assertEqual(self.ranks(first), {"n1": "alive"})
        self.assertEqual(stranger.etcds(), [])

    def test_port_taken(self) -> None:
        """Etcd serves although nobody can gossip; and then the port is free."""
        node = self.node("n1")
        with socket.create_server(("127.0.0.1", self.ports[node])):
            node.serve()
            status = node.wait_status("it is told", lambda status: status["warnings"])
            self.assertIn("gossip cannot listen", " ".join(status["warnings"]))
        self.await_ranks((node,), n1="alive")

    def test_metadata_that_is_too_long(self) -> None:
        """More than gossip carries is said when e2d starts, and nothing is started."""
        node = self.node("x" * 128, cluster={"name": "c"})
        long = ".".join(["a" * 60] * 4)
        node.configure(
            clientAddr={"host": "127.0.0.1", "port": node.client, "advertise": long},
            peerAddr={"host": "127.0.0.1", "port": node.peer, "advertise": long},
        )
        node.start()
        self.assertEqual(node.wait(), 2, node.log())
        self.assertIn("gossip carries 512", node.log())


class OriginalTests(RingTestCase):
    """C5: beside an original."""

    def test_founds_nothing_beside_an_original(self) -> None:
        """Neither while one is in the ring, nor before it has listened."""
        line = oldest_peer()
        if line.missing is not None:
            self.skipTest(line.missing)
        settings = PeerSettings(name="old", profile="local", keys=[bytes(32)])
        meta = encode_member(
            OriginalMember(
                name="old",
                client_url="http://127.0.0.1:1",
                peer_url="http://127.0.0.1:2",
                status=OriginalStatus.RUNNING,
            )
        )
        settings = evolve(settings, meta=meta)
        original = subprocess.Popen(
            [str(line.binary), *settings.arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self.addCleanup(original.wait, 10)
        self.addCleanup(original.kill)
        node = self.node(
            "n1",
            settings.port,
            gossip={"profile": "local", "compat": "original"},
        )
        node.start()
        status = node.wait_status(
            "it waits for the original",
            lambda status: status["plan"]["code"] == "E2D-W17",
        )
        self.assertIn("old (alive)", status["plan"]["reason"])
        self.assertIn("original", node.e2d("gossip", "members").out)
        self.assertEqual(node.etcds(), [])
        self.assertFalse(os.path.exists(node.data / "member"))
        assert original.stdin is not None
        original.stdin.write(b'{"id": 1, "do": "leave", "seconds": 5}\n')
        original.stdin.flush()
        node.wait_ready(LONG_SECONDS)


def _deaths(log: str) -> str:
    """Whom a node held for dead."""
    return " ".join(line for line in log.splitlines() if "is dead to the ring" in line)


def _is_remembered(node: Daemon, port: int) -> bool:
    path = node.data / "e2d" / "peers.json"
    return path.exists() and str(Address("127.0.0.1", port).port) in path.read_text()
