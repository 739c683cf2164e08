"""Tests of `e2d.etcd.access`."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import HostFacts, load
from e2d.config.values import Configuration
from e2d.etcd.access import client_tls, login, missing_files, own_address
from e2d.etcd.connection import ClientTLS
from e2d.model import Address


def configured(text: str) -> Configuration:
    """A checked configuration."""
    return load(text, source="test", host=HostFacts(host_ip="10.0.0.9")).configuration


class LoginTests(SynchronousTestCase):
    """Whom e2d logs in to etcd as."""

    def test_nobody(self) -> None:
        """Without ``etcd.auth`` there is no login."""
        self.assertIsNone(login(configured("{}")))

    def test_a_password_in_the_file(self) -> None:
        """It is used, and shown nowhere."""
        found = login(configured("etcd: {auth: {user: root, password: s3cret}}"))
        assert found is not None
        self.assertEqual((found.user, found.read_password()), ("root", "s3cret"))
        self.assertNotIn("s3cret", repr(found))

    def test_a_file_of_its_own(self) -> None:
        """The newline at its end is an editor's, not the password's."""
        path = self.mktemp()
        with open(path, "w") as stream:
            stream.write("s3cret\n")
        found = login(
            configured(f"etcd: {{auth: {{user: root, passwordFile: {path}}}}}")
        )
        assert found is not None
        self.assertEqual(found.read_password(), "s3cret")

    def test_a_file_that_cannot_be_read(self) -> None:
        """It is named: without it etcd looks as if it never answered."""
        text = "etcd: {auth: {user: root, passwordFile: /nowhere/password}}"
        self.assertEqual(
            missing_files(configured(text)),
            (
                "etcd.auth.passwordFile: /nowhere/password could not be read when e2d"
                " started, and without it e2d cannot ask etcd anything",
            ),
        )

    def test_a_file_that_can_be_read(self) -> None:
        """There is nothing to say of it."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as stream:
            stream.write("s3cret\n")
        text = f"etcd: {{auth: {{user: root, passwordFile: {path}}}}}"
        self.assertEqual(missing_files(configured(text)), ())


class OwnAddressTests(SynchronousTestCase):
    """Where this node's own etcd is asked."""

    def test_on_loopback_where_it_listens_there(self) -> None:
        """The address that never depends on a network."""
        self.assertEqual(
            own_address(configured("clientAddr: 10.0.0.1:2379")),
            Address("127.0.0.1", 2379),
        )

    def test_another_loopback_address_as_it_is(self) -> None:
        """Etcd on 127.0.0.2 does not listen on 127.0.0.1."""
        self.assertEqual(
            own_address(configured("clientAddr: 127.0.0.2:2379")),
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
        self.assertEqual(client_tls(self.configuration), self.tls("client"))

    def test_else_the_peers(self) -> None:
        """Takeover: the original never needed a client pair, it used the peer's."""
        self.pair("peer")
        self.assertEqual(client_tls(self.configuration), self.tls("peer"))

    def test_files_that_are_not_there(self) -> None:
        """Each is named with its key; what is there is not."""
        self.pair("peer")
        lines = missing_files(self.configuration)
        keys = [line.split(":")[0] for line in lines]
        self.assertEqual(keys, ["caCert", "certs.server.cert", "certs.server.key"])
        self.assertIn(f"{self.directory}/server.crt", lines[1])

    def test_none_without_a_ca(self) -> None:
        """Plain text where etcd speaks plain text."""
        self.assertIsNone(client_tls(configured("{}")))
