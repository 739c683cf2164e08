"""
Random operations have the same answers on the fake etcd and on three real ones.

``E2D_SEED`` repeats a run, ``E2D_LONG`` makes it so many rounds long.
"""

from __future__ import annotations

import os
from random import Random, SystemRandom

from twisted.internet import reactor  # noqa: TID251 - real sockets need a real one
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase

from e2d.etcd.client import EtcdClient, Timeouts
from e2d.interfaces import IEtcdClient
from tests.integration.etcds import EtcdLine, Etcds, Node, find_lines
from tests.integration.lockstep import FakeSide, RealSide
from tests.integration.lockstep_run import Lockstep


class Equivalence(TestCase):
    """The fake is not a guess."""

    line = EtcdLine("", None)
    timeout = 600

    def setUp(self) -> None:
        """Three real nodes, three fake ones."""
        self.pool = ThreadPool(0, 8)
        self.pool.start()
        self.etcds = Etcds(self.line)
        self.clients: list[EtcdClient] = []

    async def _end(self) -> None:
        for client in self.clients:
            await client.close()
        self.pool.stop()
        self.etcds.close()

    def tearDown(self) -> Deferred[None]:
        """Nothing is left."""
        return Deferred.fromCoroutine(self._end())

    def _connect(self, node: Node) -> IEtcdClient:
        timeouts = Timeouts(request=4.0)
        client = EtcdClient(reactor, self.pool, node.client, timeouts=timeouts)
        self.clients.append(client)
        return client

    async def _compare(self, seed: int, rounds: int) -> None:
        names = ["n1", "n2", "n3"]
        self.etcds.found(3)
        major, _, minor = self.line.name.partition(".")
        fake = FakeSide.found(names, (int(major), int(minor)))
        real = RealSide(self.etcds, self._connect, self._sleep)
        await real.begin()
        run = Lockstep(Random(seed), fake, real, list(names), list(names))
        await run.settle(0.1)
        await run.add("unhealthy")
        await run.keys(150)
        for number in range(rounds):
            await run.kill_and_start()
            await run.hand_over()
            await run.keys(50 * rounds)
            if rounds > 1:
                await run.lose_quorum()
                await run.replace(f"m{number}")
        await run.compare_all()

    async def _sleep(self, seconds: float) -> None:
        await deferLater(reactor, seconds)

    def test_same_answers(self) -> Deferred[None]:
        """Whatever is done to both, they answer alike."""
        seed = int(os.environ.get("E2D_SEED") or SystemRandom().randrange(1 << 32))
        print(f"E2D_SEED={seed}")  # noqa: T201 - to repeat it
        return Deferred.fromCoroutine(
            self._compare(seed, int(os.environ.get("E2D_LONG", "1")))
        )


for _line in find_lines().values():
    _name = f"EquivalenceTests_{_line.suffix}"
    globals()[_name] = type(
        _name,
        (Equivalence,),
        {
            "__module__": __name__,
            "__doc__": f"{Equivalence.__doc__} etcd {_line.name}.",
            "line": _line,
            "skip": _line.missing,
        },
    )
del Equivalence
