"""Tests of `e2d.tap`: what the composition makes of a configuration."""

from __future__ import annotations

import io
import os
import sys

from attrs import evolve

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from e2d import tap
from e2d.cluster.policy import Policy
from e2d.config import HostFacts, load
from e2d.config.values import Configuration
from e2d.etcd.connection import ClientTLS
from e2d.interfaces import ListenError
from e2d.model import Address
from e2d.tap import AfterTheFirstMove, Options
from e2d.testing.server import FakeEtcdServer
from tests.cluster.builders import ALONE

HOST = HostFacts(host_ip="10.0.0.9")


def configured(text: str) -> Configuration:
    """A checked configuration."""
    return load(text, source="test", host=HOST).configuration


class PolicyTests(SynchronousTestCase):
    """What a configuration means for decisions."""

    def test_a_node_alone(self) -> None:
        """Nothing configured: one member, nobody to listen to, no store."""
        self.assertEqual(
            tap._policy(configured("{}")),
            Policy(required_size=1, peer_url="http://10.0.0.9:2380"),
        )

    def test_seeds_and_stores_are_told(self) -> None:
        """A6, A10: what may know better than an empty disk is part of the policy."""
        policy = tap._policy(
            configured(
                "apiVersion: e2d.crit.sh/v1beta1\n"
                "discovery: {initialPeers: ['10.0.0.1:7980']}\n"
                "snapshot: {file: 'file:///backup/'}\n"
                "recovery: {requireSnapshot: true, observe: true}\n"
            )
        )
        self.assertEqual(
            policy,
            evolve(
                ALONE,
                peer_url="http://10.0.0.9:2380",
                listens_for=("discovery.initialPeers",),
                store="snapshot.file",
                require_snapshot=True,
                observe=True,
            ),
        )


class OwnAddressTests(SynchronousTestCase):
    """Where this node's own etcd is asked."""

    def test_on_loopback_where_it_listens_there(self) -> None:
        """The address that never depends on a network."""
        self.assertEqual(
            tap._own_address(configured("clientAddr: 10.0.0.1:2379")),
            Address("127.0.0.1", 2379),
        )

    def test_another_loopback_address_as_it_is(self) -> None:
        """Etcd on 127.0.0.2 does not listen on 127.0.0.1."""
        self.assertEqual(
            tap._own_address(configured("clientAddr: 127.0.0.2:2379")),
            Address("127.0.0.2", 2379),
        )


class ClientTLSTests(SynchronousTestCase):
    """Which certificate e2d shows to etcd."""

    def setUp(self) -> None:
        """A directory for certificates."""
        self.directory = self.mktemp()
        os.makedirs(self.directory)
        self.configuration = configured(
            f"caCert: {self.directory}/ca.crt\ncaKey: {self.directory}/ca.key\n"
        )

    def pair(self, name: str) -> None:
        """Files of a certificate."""
        for suffix in ("crt", "key"):
            path = os.path.join(self.directory, f"{name}.{suffix}")
            with open(path, "w"):
                pass

    def tls(self, name: str) -> ClientTLS:
        """What is expected for a pair."""
        return ClientTLS(
            ca=f"{self.directory}/ca.crt",
            cert=f"{self.directory}/{name}.crt",
            key=f"{self.directory}/{name}.key",
        )

    def test_the_clients(self) -> None:
        """The client's own, if it is there."""
        self.pair("client")
        self.pair("peer")
        self.assertEqual(tap._client_tls(self.configuration), self.tls("client"))

    def test_else_the_peers(self) -> None:
        """Takeover: the original never needed a client pair, it used the peer's."""
        self.pair("peer")
        self.assertEqual(tap._client_tls(self.configuration), self.tls("peer"))

    def test_none_without_a_ca(self) -> None:
        """Plain text where etcd speaks plain text."""
        self.assertIsNone(tap._client_tls(configured("{}")))


class ReloadTests(SynchronousTestCase):
    """SIGHUP says what a changed file would change."""

    def test_names_what_differs(self) -> None:
        """Only the parts that differ, by their names."""
        before = configured("dataDir: a")
        after = configured("dataDir: b\nhealthCheckInterval: 2m")
        self.assertEqual(
            tap.changed_keys(before, after), ("data_dir", "health_check_interval")
        )

    def test_the_version_alone_is_no_change(self) -> None:
        """A file that was converted means the same."""
        self.assertEqual(
            tap.changed_keys(configured("{}"), configured("kind: Configuration")), ()
        )


class UsageTests(SynchronousTestCase):
    """Wrong usage and wrong files end with 2 and a line each."""

    def setUp(self) -> None:
        """Catch what a person would read."""
        self.read = io.StringIO()
        self.patch(sys, "stderr", self.read)

    def test_an_unknown_option_of_twistd(self) -> None:
        """One line, not twistd's whole help, and exit code 2."""
        stop = self.assertRaises(SystemExit, Options().parseOptions, ["--confg", "x"])
        self.assertEqual(stop.code, 2)
        self.assertEqual(self.read.getvalue().count("\n"), 1)

    def test_every_problem_of_a_file(self) -> None:
        """Each problem has its line, then the count."""
        path = self.mktemp()
        with open(path, "w") as stream:
            stream.write("dataDirr: x\nrequiredClusterSize: 2\n")
        stop = self.assertRaises(SystemExit, tap.load, path)
        self.assertEqual(stop.code, 2)
        lines = self.read.getvalue().splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[2], "e2d: 2 errors in the configuration")

    def test_a_missing_file(self) -> None:
        """W-12: a file that was named and is not there is an error, not a default."""
        stop = self.assertRaises(SystemExit, tap.load, "/nowhere/config.yaml")
        self.assertEqual(stop.code, 2)
        self.assertIn("/nowhere/config.yaml", self.read.getvalue())


class Picky(Service):
    """A service that cannot listen until it may."""

    may = False

    def startService(self) -> None:
        """Listen."""
        if not self.may:
            raise ListenError("api.addr 127.0.0.1:7981: in use already")
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Stop, later."""
        super().stopService()
        stopped: Deferred[None] = Deferred()
        stopped.callback(None)
        return stopped


class AfterTheFirstMoveTests(SynchronousTestCase):
    """etcd first, then what tells of it."""

    def setUp(self) -> None:
        """Nothing runs yet."""
        self.clock = Clock()
        self.server = FakeEtcdServer(self.clock)
        self.api = Picky()
        self.api.may = True
        self.made = 0
        self.late = AfterTheFirstMove(
            clock=self.clock, server=self.server, make=self.make
        )
        self.late.startService()

    def make(self) -> Service:
        """Count it."""
        self.made += 1
        return self.api

    def test_waits_for_etcds_process(self) -> None:
        """It starts right after etcd was executed, not before."""
        self.clock.advance(0.1)
        self.assertEqual(self.made, 0)
        self.server.left_behind = None
        self.server.fail()
        self.clock.advance(0)
        self.assertTrue(self.api.running)

    def test_does_not_wait_for_an_etcd_that_does_not_come(self) -> None:
        """A node that halts tells why, too."""
        self.clock.advance(0.5)
        self.assertTrue(self.api.running)

    def test_a_taken_port_is_tried_again(self) -> None:
        """Etcd is not stopped for a port that is taken; when it is free, it is used."""
        self.api.may = False
        self.clock.advance(0.5)
        self.assertFalse(self.api.running)
        self.api.may = True
        self.clock.advance(5.0)
        self.assertTrue(self.api.running)

    def test_stopping_leaves_nothing(self) -> None:
        """Stopped before it began, it never begins."""
        self.successResultOf(self.late.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.made, 0)


class ClockTests(SynchronousTestCase):
    """A16: time is CLOCK_BOOTTIME."""

    def test_time_is_since_boot(self) -> None:
        """The reactor's clock is the machine's uptime, whatever the date says."""
        with open("/proc/uptime") as stream:
            uptime = float(stream.read().split()[0])
        self.assertLess(abs(tap.boottime() - uptime), 5.0)
