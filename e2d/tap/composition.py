"""The composition: every part of the daemon, made and put together."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar

from attrs import define, evolve, field, frozen

from twisted.application.service import IService
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from e2d import __version__
from e2d.api.exposure import exposure
from e2d.api.places import SocketPlace, socket_place
from e2d.cluster.policy import Policy
from e2d.config.loading import Loaded
from e2d.config.unserved import SERVED_DISCOVERY, unserved
from e2d.config.values import Configuration
from e2d.convergence.acting import Actor
from e2d.convergence.observing import Observer
from e2d.convergence.service import ConvergenceService, NodeSettings
from e2d.etcd.access import client_tls, login, missing_files, own_address
from e2d.etcd.client import EtcdClient
from e2d.etcd.command import EtcdSettings
from e2d.etcd.datadir import DataDirectory
from e2d.etcd.lock import DataDirectoryLock
from e2d.etcd.records import Records
from e2d.etcd.supervisor import EtcdSupervisor, Patience
from e2d.gossip.errors import MetadataTooLong
from e2d.interfaces import IDaemonReactor, IMembership, IRingKeys
from e2d.model import Address, NodeName, mark_cluster
from e2d.services import AfterTheFirstMove, Held, OrderedServices

if TYPE_CHECKING:
    from e2d.api.service import ApiService
    from e2d.tap.ring import RingParts

__all__ = ["CannotCompose", "Composition", "Parts", "policy_of", "reloaded"]

_T = TypeVar("_T")


def wall_clock() -> datetime:
    """The time of day: what a person sets an end to follows it."""
    return datetime.now(tz=UTC)


def reloaded(running: Configuration, fresh: Configuration) -> Configuration:
    """
    What a running daemon can take of a changed file: how etcd is started next.

    Who e2d logs in as is not part of it, nor where anything listens that e2d itself
    connects to.
    """
    return evolve(
        running,
        etcd=evolve(fresh.etcd, auth=running.etcd.auth),
        metrics=fresh.metrics,
    )


def policy_of(configuration: Configuration) -> Policy:
    """What a configuration means for decisions."""
    discovery = configuration.discovery
    listens_for = []
    if discovery.initial_peers:
        listens_for.append("discovery.initialPeers")
    if discovery.type in SERVED_DISCOVERY:
        listens_for.append("discovery.type")
    return Policy(
        required_size=configuration.required_cluster_size,
        peer_url=_url(configuration, configuration.peer.advertise),
        cluster=mark_cluster(configuration.cluster_name, None).name,
        listens_for=tuple(listens_for),
        cannot_ask=()
        if discovery.type in {None, *SERVED_DISCOVERY}
        else (f"discovery.type {discovery.type}",),
        compat=configuration.gossip_ring.compat is not None,
        store=None if configuration.snapshot.file is None else "snapshot.file",
        require_snapshot=configuration.recovery.require_snapshot,
        observe=configuration.recovery.observe,
    )


def _url(configuration: Configuration, address: Address) -> str:
    return f"{'https' if configuration.tls else 'http'}://{address}"


class CannotCompose(Exception):
    """What was configured cannot be had together; one line that says why."""


@frozen
class Parts:
    """
    The daemon, put together.

    :param service: everything, in order.
    :param server: takes other settings while it runs.
    """

    service: IService
    server: EtcdSupervisor


@define(eq=False, kw_only=True)
class Composition:
    """
    Puts the daemon together.

    :param loaded: the configuration and what its reader warned of.
    :param unseen: how many seconds the reactor's clock has left out so far.
    """

    _reactor: IDaemonReactor
    _loaded: Loaded
    _unseen: Callable[[], float]
    _api: ApiService | None = field(default=None, init=False)
    _warnings: tuple[str, ...] | None = field(default=None, init=False)

    def parts(self) -> Parts:
        """
        Everything, first to start first; it stops in reverse.

        :raises CannotCompose: the configuration makes no whole.
        """
        configuration = self._loaded.configuration
        reactor = self._reactor
        data_dir = os.path.abspath(configuration.data_dir)
        disk = ThreadPool(minthreads=0, maxthreads=4, name="disk")
        network = ThreadPool(minthreads=0, maxthreads=8, name="etcd")
        lock = DataDirectoryLock(data_dir)

        async def on_disk(function: Callable[[], _T]) -> _T:
            return await deferToThreadPool(reactor, disk, function)

        client = EtcdClient(
            reactor,
            network,
            own_address(configuration),
            tls=client_tls(configuration),
            login=login(configuration),
        )
        directory = DataDirectory(
            run_in_pool=on_disk,
            path=data_dir,
            state_directory=os.environ.get("STATE_DIRECTORY"),
            peer_url=_url(configuration, configuration.peer.advertise),
            nonce=secrets.token_bytes,
            utc_now=wall_clock,
            lock=lock,
        )
        server = EtcdSupervisor(
            reactor,
            client.status,
            Records(os.path.join(data_dir, "e2d"), on_disk),
            on_disk,
            EtcdSettings.from_configuration(configuration, data_dir),
            random=SystemRandom(),
            environment=os.environ,
            make_id=lambda: secrets.token_hex(16),
            expected_member=lambda: directory.member_id,
            patience=Patience(health=configuration.health_check_interval),
        )
        ring = self._ring()
        membership = None if ring is None else ring.membership
        loop = self._loop(directory, server, client, membership)
        services = OrderedServices(
            [
                Held(lock.acquire, lock.release),
                Held(disk.start, disk.stop),
                Held(network.start, network.stop),
                Held(_nothing, client.close),
                # The ring hears that etcd stops, and then that this node leaves.
                *(() if ring is None else ring.services),
                Held(_nothing, server.stop),
                loop,
                *self._tellers(loop, server, None if ring is None else ring.keys),
            ]
        )
        return Parts(services, server)

    def _ring(self) -> RingParts | None:
        if not self._loaded.configuration.gossip_ring.enabled:
            return None
        # Here: who has nobody to talk to need not load what ciphers and packs.
        from e2d.tap.ring import check_length, ring_parts

        configuration = self._loaded.configuration
        try:
            check_length(configuration)
        except MetadataTooLong as error:
            raise CannotCompose(str(error)) from None
        data_dir = os.path.abspath(configuration.data_dir)
        return ring_parts(self._reactor, configuration, data_dir, self._unseen)

    def _loop(
        self,
        directory: DataDirectory,
        server: EtcdSupervisor,
        client: EtcdClient,
        membership: IMembership | None,
    ) -> ConvergenceService:
        configuration = self._loaded.configuration
        policy = policy_of(configuration)
        override = configuration.override_name
        return ConvergenceService(
            clock=self._reactor,
            wall_clock=wall_clock,
            policy=policy,
            settings=self._node_settings(),
            observer=Observer(
                clock=self._reactor,
                wall_clock=wall_clock,
                server=server,
                directory=directory,
                client=client,
                override=None if override is None else NodeName(override),
                fresh_name=NodeName(secrets.token_hex(8)),
                membership=membership,
            ),
            actor=Actor(
                clock=self._reactor,
                server=server,
                directory=directory,
                client=client,
                cluster_name=configuration.cluster_name,
                peer_url=policy.peer_url,
                nonce=secrets.token_bytes,
            ),
            server=server,
            directory=directory,
            binary=lambda: self._loaded.configuration.etcd.binary or "etcd",
            extra_warnings=lambda: (
                *self.warnings(),
                *directory.warnings,
                *self._api_warnings(),
            ),
            membership=membership,
        )

    def _node_settings(self) -> NodeSettings:
        configuration = self._loaded.configuration
        return NodeSettings(
            cluster_name=configuration.cluster_name,
            e2d_version=__version__,
            pid=os.getpid(),
            started_at=wall_clock(),
            config=self._loaded.source,
            socket=self._socket().path,
            client_url=_url(configuration, configuration.client.advertise),
        )

    def reload(self, loaded: Loaded) -> None:
        """From now on tell of another configuration."""
        self._loaded, self._warnings = loaded, None

    def warnings(self) -> tuple[str, ...]:
        """
        What an operator should know of the configuration, a line each.

        Files are looked for once for each configuration, not for each status.
        """
        if self._warnings is None:
            self._warnings = self._look_for_warnings()
        return self._warnings

    def _look_for_warnings(self) -> tuple[str, ...]:
        configuration = self._loaded.configuration
        return (
            *(str(warning) for warning in self._loaded.warnings),
            *unserved(configuration),
            *missing_files(configuration),
            *filter(None, [exposure(configuration.api.addr)]),
        )

    def _socket(self) -> SocketPlace:
        user_runtime = f"/run/user/{os.geteuid()}"
        configuration = self._loaded.configuration
        return socket_place(
            configured=configuration.api.socket,
            runtime_directory=os.environ.get("RUNTIME_DIRECTORY"),
            data_dir=os.path.abspath(configuration.data_dir),
            uid=os.geteuid(),
            user_runtime=user_runtime if os.path.isdir(user_runtime) else None,
        )

    def _tellers(
        self,
        loop: ConvergenceService,
        server: EtcdSupervisor,
        keys: IRingKeys | None,
    ) -> Sequence[IService]:
        tellers: list[IService] = [
            AfterTheFirstMove(
                clock=self._reactor,
                server=server,
                make=lambda: self._make_api(loop, keys),
            )
        ]
        if os.environ.get("NOTIFY_SOCKET"):
            tellers.append(self._notifier(loop))
        return tellers

    def _make_api(self, loop: ConvergenceService, keys: IRingKeys | None) -> IService:
        # Late and here: these take a tenth of a second to load, and etcd starts first.
        from e2d.api.service import ApiService, ApiSettings

        self._api = ApiService(
            self._reactor,
            loop,
            loop,
            wall_clock,
            ApiSettings(
                address=self._loaded.configuration.api.addr, socket=self._socket()
            ),
            keys,
        )
        return self._api

    def _api_warnings(self) -> Sequence[str]:
        return () if self._api is None else self._api.warnings

    def _notifier(self, loop: ConvergenceService) -> IService:
        from sdnotify import SystemdNotifier as Datagrams

        from e2d.api.systemd import SystemdNotifier

        microseconds = os.environ.get("WATCHDOG_USEC", "")
        return SystemdNotifier(
            clock=self._reactor,
            view=loop,
            notify=Datagrams().notify,
            watchdog=int(microseconds) / 1e6 if microseconds.isdigit() else None,
        )


def _nothing() -> None:
    """There is nothing to take, only to release."""
