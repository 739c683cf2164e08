"""What the supervisor's integration tests share: real etcds, really supervised."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from attrs import define, field

import treq
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from e2d.config.values import Endpoint, EtcdOptions, Metrics, MetricsDetail
from e2d.etcd.command import EtcdSettings
from e2d.etcd.records import Records
from e2d.etcd.supervisor import EtcdSupervisor, Patience
from e2d.interfaces import EtcdUnavailable
from e2d.model import (
    Address,
    ChildState,
    ClusterID,
    EtcdRole,
    EtcdStart,
    EtcdStatus,
    InitialState,
    MemberID,
    NodeName,
    Revision,
)

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]


def etcds() -> dict[str, str]:
    """Every real etcd at hand, by its line: ``{"3.5": ".../usr/bin/etcd"}``."""
    found = sorted((ROOT / "build" / "etcd").glob("*/usr/bin/etcd"))
    return {path.parents[2].name: str(path) for path in found}


def options(**changes: object) -> EtcdOptions:
    """Options as the defaults have them, but fast: without fsync."""
    values: dict[str, object] = {
        "binary": None,
        "extra_args": (),
        "env": (),
        "auth": None,
        "quota_backend_bytes": None,
        "compaction_interval": 300.0,
        "log_level": "error",
        "allow_version": (),
        "unsafe_no_fsync": True,
        "pre_vote": True,
        "metrics_detail": MetricsDetail.BASIC,
    }
    return EtcdOptions(**{**values, **changes})  # type: ignore[arg-type]


@define(eq=False)
class Node:
    """
    One data directory and its ports; each `supervisor` is another life of e2d.

    :param port: of clients; the next one is the peers'.
    """

    reactor: object
    binary: str
    directory: str
    port: int
    metrics: Metrics | None = None
    supervisors: list[EtcdSupervisor] = field(factory=list)

    def settings(self, **changes: object) -> EtcdSettings:
        """How its etcd is run."""
        client = Address("127.0.0.1", self.port)
        peer = Address("127.0.0.1", self.port + 1)
        return EtcdSettings(
            binary=self.binary,
            data_dir=self.directory,
            client=Endpoint(listen=client, advertise=client),
            peer=Endpoint(listen=peer, advertise=peer),
            client_tls=None,
            peer_tls=None,
            metrics=self.metrics,
            options=options(**changes),
            cluster_size=1,
        )

    def start(self) -> EtcdStart:
        """The start of a cluster of one."""
        url = f"http://127.0.0.1:{self.port + 1}"
        return EtcdStart(
            name=NodeName("n1"),
            peers=((NodeName("n1"), url),),
            token="0123456789abcdef",
            state=InitialState.NEW,
        )

    def supervisor(
        self,
        expected_member: Callable[[], MemberID | None] = lambda: None,
        **changes: object,
    ) -> EtcdSupervisor:
        """A new e2d's supervisor of it."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        supervisor = EtcdSupervisor(
            self.reactor,
            self.probe,
            Records(os.path.join(self.directory, "e2d"), self.run_in_pool),
            self.run_in_pool,
            self.settings(**changes),
            random=Random(1),
            environment=os.environ,
            make_id=lambda: os.urandom(8).hex(),
            expected_member=expected_member,
            patience=Patience(health=0.2, stop=5.0),
        )
        self.supervisors.append(supervisor)
        return supervisor

    def run_in_pool(self, function: Callable[[], T]) -> Deferred[T]:
        """In the reactor's own threads."""
        pool = self.reactor.getThreadPool()
        return deferToThreadPool(self.reactor, pool, function)

    async def post(self, path: str, body: object) -> dict:
        """Ask etcd through its JSON gateway."""
        url = f"http://127.0.0.1:{self.port}/v3/{path}"
        try:
            response = await treq.post(
                url, json.dumps(body).encode(), timeout=2, persistent=False
            )
            return json.loads(await response.content())
        except (
            ConnectError,
            ConnectionLost,
            ResponseFailed,
            ResponseNeverReceived,
        ) as error:
            raise EtcdUnavailable(url, str(error)) from error

    async def probe(self) -> EtcdStatus:
        """What etcd says of itself."""
        answer = await self.post("maintenance/status", {})
        header = answer.get("header", {})
        if "member_id" not in header:
            raise EtcdUnavailable(str(self.port), str(answer))
        leader = int(answer.get("leader", 0))
        return EtcdStatus(
            cluster_id=ClusterID(int(header["cluster_id"])),
            member_id=MemberID(int(header["member_id"])),
            leader=MemberID(leader) if leader else None,
            role=EtcdRole.VOTER,
            revision=Revision(int(header.get("revision", 1))),
            raft_term=int(header.get("raft_term", 0)),
            raft_index=int(answer.get("raftIndex", 0)),
            raft_applied_index=None,
            version=answer.get("version", ""),
            db_size_bytes=int(answer.get("dbSize", 0)),
            db_size_in_use_bytes=None,
        )

    async def until(
        self, supervisor: EtcdSupervisor, wanted: type[ChildState], seconds: float = 15
    ) -> ChildState:
        """The supervisor's state, once it is of a kind; at most so long."""
        reached: Deferred[None] = Deferred()

        def look() -> None:
            if isinstance(supervisor.state(), wanted) and not reached.called:
                reached.callback(None)

        supervisor.subscribe(look)
        look()
        reached.addTimeout(seconds, self.reactor)
        await reached
        return supervisor.state()

    async def rest(self, seconds: float) -> None:
        """Let real time pass."""
        await deferLater(self.reactor, seconds)

    async def end(self) -> None:
        """Stop whatever runs."""
        for supervisor in reversed(self.supervisors):
            await supervisor.stop()
