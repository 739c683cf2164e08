"""The etcd client on real etcds, of every line that is here."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from twisted.internet import reactor  # noqa: TID251 - real sockets need a real one
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase

from e2d.etcd.client import ClientTLS, EtcdClient, Login, Timeouts
from e2d.interfaces import EtcdRefused, EtcdUnavailable
from e2d.testing.contracts.driving import driven
from e2d.testing.contracts.etcd_client import EtcdClientContract
from tests.integration.etcds import EtcdLine, Etcds, Node, find_lines


class ClientTestCase(TestCase):
    """A pool of threads, and clients that are closed when a test ends."""

    line = EtcdLine("", None)
    timeout = 60

    def setUp(self) -> None:
        """Start the pool."""
        self.pool = ThreadPool(0, 8)
        self.pool.start()
        self.clients: list[EtcdClient] = []

    async def _close(self) -> None:
        for client in self.clients:
            await client.close()
        self.pool.stop()

    def tearDown(self) -> Deferred[None]:
        """Close the clients, then the pool."""
        return Deferred.fromCoroutine(self._close())

    def drive(self, done: Deferred[None]) -> object:
        """Trial waits for it."""
        return done

    async def settle(self, seconds: float) -> None:
        """Wait."""
        await deferLater(reactor, seconds)

    def connect(
        self,
        node: Node,
        tls: ClientTLS | None = None,
        login: Login | None = None,
        timeouts: Timeouts | None = None,
    ) -> EtcdClient:
        """A client of a node."""
        client = EtcdClient(
            reactor, self.pool, node.client, tls=tls, login=login, timeouts=timeouts
        )
        self.clients.append(client)
        return client

    async def serving(self, client: EtcdClient) -> None:
        """Wait until a member answers with quorum."""
        for _ in range(1000):
            try:
                await client.members()
            except (EtcdRefused, EtcdUnavailable):
                await self.settle(0.02)
            else:
                return
        raise self.failureException("etcd did not serve within 20 s")


@cache
def _shared(line: EtcdLine, *, secure: bool) -> Etcds:
    """One cluster of one for all tests of a class; it ends with the test run."""
    etcds = Etcds(line, secure)
    etcds.found(1)
    return etcds


def _files(etcds: Etcds, name: str) -> ClientTLS:
    assert etcds.security is not None
    leaf = getattr(etcds.security, name)
    return ClientTLS(
        ca=str(etcds.security.authority.ca), cert=str(leaf.cert), key=str(leaf.key)
    )


class PlainContract(ClientTestCase, EtcdClientContract):
    """The contract, in plain text."""

    def setUp(self) -> Deferred[None]:
        """A client of the shared etcd."""
        super().setUp()
        return Deferred.fromCoroutine(self._begin())

    async def _begin(self) -> None:
        self.client = self.connect(_shared(self.line, secure=False).nodes[0])
        await self.serving(self.client)


class TLSContract(PlainContract):
    """The contract, both sides with certificates."""

    async def _begin(self) -> None:
        etcds = _shared(self.line, secure=True)
        self.client = self.connect(etcds.nodes[0], _files(etcds, "root"))
        await self.serving(self.client)


@cache
def _with_auth(line: EtcdLine) -> Etcds:
    etcds = Etcds(line, secure=True)
    etcds.found(1)
    (etcds.directory / "password").write_text("secret\n")
    return etcds


class AuthContract(PlainContract):
    """The contract, with etcd's own users: root logs in by password (B15)."""

    async def _begin(self) -> None:
        etcds = _with_auth(self.line)
        by_name = _files(etcds, "root")
        first = self.connect(etcds.nodes[0], by_name)
        await self.serving(first)
        if not (etcds.directory / "auth").exists():
            etcds.etcdctl("user", "add", "root:secret")
            etcds.etcdctl("user", "add", "nobody:nothing")
            etcds.etcdctl("user", "grant-role", "root", "root")
            etcds.etcdctl("auth", "enable")
            (etcds.directory / "auth").touch()
        login = Login("root", str(etcds.directory / "password"))
        self.client = self.connect(etcds.nodes[0], _files(etcds, "nobody"), login)

    @driven
    async def test_certificate_names_the_user(self) -> None:
        """A certificate of root's needs no password; another's is denied."""
        etcds = _with_auth(self.line)
        root = self.connect(etcds.nodes[0], _files(etcds, "root"))
        await root.put(b"by-certificate", b"", None)
        nobody = self.connect(etcds.nodes[0], _files(etcds, "nobody"))
        code, _ = await self.refusal_of(nobody.put(b"by-certificate", b"", None))
        self.assertEqual(code, "PERMISSION_DENIED")
        with self.assertRaises(EtcdRefused):
            await nobody.watch(b"by-certificate", None, None)

    @driven
    async def test_expired_token_is_renewed(self) -> None:
        """A token that the member has forgotten costs no failed call."""
        await self.client.put(b"token", b"1", None)
        (node,) = _with_auth(self.line).nodes
        node.kill()
        node.start()
        await self.serving(self.client)
        await self.client.put(b"token", b"2", None)

    @driven
    async def test_wrong_password_refused(self) -> None:
        """A wrong password is said so, not waited on."""
        etcds = _with_auth(self.line)
        (etcds.directory / "wrong").write_text("wrong")
        login = Login("root", str(etcds.directory / "wrong"))
        client = self.connect(etcds.nodes[0], _files(etcds, "nobody"), login)
        code, _ = await self.refusal_of(client.get(b"key"))
        self.assertEqual(code, "INVALID_ARGUMENT")


class Behaviour(ClientTestCase):
    """What only a real etcd shows: connections, processes, quorum."""

    def setUp(self) -> None:
        """Clusters of this test alone."""
        super().setUp()
        self.etcds = Etcds(self.line)
        self.addCleanup(self.etcds.close)

    @driven
    async def test_made_before_etcd_listens(self) -> None:
        """A client older than its etcd works as soon as a fresh one would."""
        self.etcds.found(1)
        (node,) = self.etcds.nodes
        node.kill()
        client = self.connect(node)
        with self.assertRaises(EtcdUnavailable):
            await client.status()
        node.start()
        fresh_answered = 0.0
        while not await self._answers(client):
            if not fresh_answered and await self._answers(self.connect(node)):
                fresh_answered = time.perf_counter()
            await self.settle(0.01)
        # About 10 ms here; gRPC's own delay alone would be 100 ms to 1 s.
        late = time.perf_counter() - fresh_answered if fresh_answered else 0.0
        self.assertLess(late, 0.3)

    async def _answers(self, client: EtcdClient) -> bool:
        try:
            await client.status()
        except EtcdUnavailable:
            return False
        return True

    @driven
    async def test_loads_grpc_late(self) -> None:
        """Naming the client loads nothing of gRPC: commands start faster."""
        program = "import sys, e2d.etcd.client; print('grpc' in sys.modules)"
        out = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
            timeout=30,
        ).stdout
        self.assertEqual(out, "False\n")

    @driven
    async def test_frozen_etcd(self) -> None:
        """A frozen etcd is unavailable after the deadline; a call can be cancelled."""
        self.etcds.found(1)
        (node,) = self.etcds.nodes
        client = self.connect(node, timeouts=Timeouts(request=1.0))
        await self.serving(client)
        node.freeze()
        cancelled = Deferred.fromCoroutine(client.get(b"key"))
        cancelled.cancel()
        self.failureResultOf(cancelled)
        began = time.perf_counter()
        with self.assertRaises(EtcdUnavailable):
            await client.get(b"key")
        self.assertLess(time.perf_counter() - began, 3.0)
        node.thaw()
        await self.serving(client)

    @driven
    async def test_watch_ends_with_the_connection(self) -> None:
        """A watch whose member died says so; it does not go on silently."""
        self.etcds.found(1)
        (node,) = self.etcds.nodes
        client = self.connect(node)
        await self.serving(client)
        watch = await client.watch(b"key", None, None)
        node.kill()
        with self.assertRaises(EtcdUnavailable):
            await watch.next()

    @driven
    async def test_no_list_without_quorum(self) -> None:
        """One of three proves nothing, and still says what it remembers (F6)."""
        self.etcds.found(3)
        first, second, third = self.etcds.nodes
        client = self.connect(first, timeouts=Timeouts(request=2.0))
        await self.serving(client)
        second.kill()
        third.kill()
        with self.assertRaises(EtcdUnavailable):
            await client.members()
        self.assertEqual(len(await client.members_seen()), 3)
        await client.status()

    @driven
    async def test_snapshot_breaks_off(self) -> None:
        """A snapshot that etcd's death cuts short is an error, not an end."""
        self.etcds.found(1)
        (node,) = self.etcds.nodes
        client = self.connect(node)
        await self.serving(client)
        for number in range(48):
            await client.put(b"%d" % number, bytes(1_000_000), None)
        source = await client.snapshot()
        await source.read()
        node.kill()
        with self.assertRaises(EtcdUnavailable):
            while await source.read():
                pass


for _line in find_lines().values():
    for _case in (PlainContract, TLSContract, AuthContract, Behaviour):
        _name = f"{_case.__name__}Tests_{_line.suffix}"
        globals()[_name] = type(
            _name,
            (_case,),
            {
                "__module__": __name__,
                "__doc__": f"{_case.__doc__} etcd {_line.name}.",
                "line": _line,
                "skip": _line.missing,
            },
        )
# Bases are not test cases of their own.
del ClientTestCase, PlainContract, TLSContract, AuthContract, Behaviour, _case
