"""Tests of `e2d.tap`: what the composition makes of a configuration."""

from __future__ import annotations

import io
import sys

from attrs import evolve

from twisted.trial.unittest import SynchronousTestCase

from e2d import tap
from e2d.cluster.policy import Policy
from e2d.config import HostFacts, load
from e2d.config.values import Configuration
from e2d.model import mark_cluster
from e2d.tap import Options
from e2d.tap.composition import policy_of, reloaded
from tests.cluster.builders import ALONE

HOST = HostFacts(host_ip="10.0.0.9")


def configured(text: str) -> Configuration:
    """A checked configuration."""
    return load(text, source="test", host=HOST).configuration


MARK = mark_cluster("e2d", None).name


class PolicyTests(SynchronousTestCase):
    """What a configuration means for decisions."""

    def test_a_node_alone(self) -> None:
        """Nothing configured: one member, nobody to listen to, no store."""
        self.assertEqual(
            policy_of(configured("{}")),
            Policy(required_size=1, peer_url="http://10.0.0.9:2380", cluster=MARK),
        )

    def test_seeds_and_stores_are_told(self) -> None:
        """A6, A10: what may know better than an empty disk is part of the policy."""
        policy = policy_of(
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
                cluster=MARK,
                listens_for=("discovery.initialPeers",),
                store="snapshot.file",
                require_snapshot=True,
                observe=True,
            ),
        )

    def test_discovery_that_is_not_asked(self) -> None:
        """A10: who cannot be asked may know better than an empty disk, too."""
        policy = policy_of(configured("discovery: {type: dns, name: a.example.org}"))
        self.assertEqual(policy.cannot_ask, ("discovery.type dns",))
        self.assertEqual(policy.listens_for, ())

    def test_a_ring_with_originals(self) -> None:
        """C5: with them some things are not done."""
        made = configured("gossip: {compat: original, insecure: true}")
        self.assertTrue(policy_of(made).compat)
        # Else it would wait for ever to hear whether there are any.
        self.assertTrue(made.gossip_ring.enabled)


class ReloadTests(SynchronousTestCase):
    """What a running daemon takes of a changed file."""

    def test_how_etcd_is_started(self) -> None:
        """Etcd's settings are taken, for its next start."""
        running = configured("{}")
        fresh = configured("etcd: {quotaBackendBytes: 4Gi}\nmetrics: {addr: ':4001'}")
        self.assertEqual(reloaded(running, fresh), fresh)

    def test_nothing_that_e2d_itself_depends_on(self) -> None:
        """Where things are and listen, and who logs in, needs a restart of e2d."""
        running = configured("{}")
        fresh = configured(
            "dataDir: elsewhere\nclientAddr: 10.0.0.1:2399\n"
            "etcd: {auth: {user: root, password: x}}"
        )
        self.assertEqual(reloaded(running, fresh), running)


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
        """Each problem has its line, then the count, where there are several."""
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
        self.assertEqual(
            self.read.getvalue(), "e2d: /nowhere/config.yaml: there is no such file\n"
        )
