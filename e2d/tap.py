"""
The composition: the only module that knows every other, and the reactor.

``twistd e2d`` and ``e2d run`` build the same service here. Nothing is opened, bound,
started or locked before the service starts: twistd forks between the two.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import SystemRandom
from types import FrameType
from typing import TYPE_CHECKING, TypeVar, cast

from attrs import define, evolve, field, frozen

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger, globalLogBeginner
from twisted.python import usage
from twisted.python.threadpool import ThreadPool

from e2d import __version__
from e2d.api.exposure import exposure
from e2d.api.loglines import json_line, line_observer, text_line
from e2d.api.places import SocketPathTooLong, SocketPlace, socket_place
from e2d.cluster.policy import Policy
from e2d.config.loading import Loaded
from e2d.config.problems import ConfigurationError
from e2d.config.reading import STANDARD_INPUT, read_configuration
from e2d.config.values import Configuration, HostFacts
from e2d.convergence.acting import Actor
from e2d.convergence.observing import Observer
from e2d.convergence.service import ConvergenceService, NodeSettings
from e2d.discovery.host import host_address
from e2d.etcd.access import client_tls, login, own_address
from e2d.etcd.client import EtcdClient
from e2d.etcd.command import EtcdSettings
from e2d.etcd.datadir import DataDirectory, DataDirectoryLock
from e2d.etcd.records import Records
from e2d.etcd.supervisor import EtcdSupervisor, Patience
from e2d.interfaces import DataDirectoryError, IDaemonReactor
from e2d.model import Address, NodeName
from e2d.services import AfterTheFirstMove, Held, OrderedServices

if TYPE_CHECKING:
    from e2d.api.service import ApiService

__all__ = ["Options", "boottime", "makeService", "run_foreground"]

_T = TypeVar("_T")

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2


def boottime() -> float:
    """Seconds of CLOCK_BOOTTIME: monotonic, and counting while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _wall_clock() -> datetime:
    return datetime.now(tz=UTC)


def _fail(message: str, code: int) -> SystemExit:
    """One line for a person, and the exit code that goes with it."""
    sys.stderr.write(f"e2d: {message}\n")
    sys.stderr.flush()
    return SystemExit(code)


# -- the configuration ------------------------------------------------------------


class Options(usage.Options):
    """``twistd e2d``'s own options."""

    optParameters = [
        [
            "config",
            "c",
            None,
            "Configuration file, - for standard input. Without it config.yaml here, if"
            " there is one, else a single node on loopback.",
        ]
    ]

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Exit code 2 and one line for wrong usage.

        twistd itself would exit with 0 or 1, depending on its version, and print all of
        its help.
        """
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            raise _fail(
                f"{error} (see twistd e2d --help)", EXIT_CONFIGURATION
            ) from None


def _read(path: str | None) -> Loaded:
    return read_configuration(
        path,
        opener=lambda name: open(name, "rb"),
        standard_input=sys.stdin.buffer,
        host=HostFacts(host_ip=host_address()),
    )


def load(path: str | None) -> Loaded:
    """
    The checked configuration.

    :param path: a file, ``-``, or None for the default places.
    :raises SystemExit: 2, and a line for each of its problems on standard error; their
        count, if there are several.
    """
    try:
        return _read(path)
    except ConfigurationError as error:
        *others, last = error.problems
        if not others:
            raise _fail(str(last), EXIT_CONFIGURATION) from None
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        count = len(error.problems)
        raise _fail(
            f"{count} errors in the configuration", EXIT_CONFIGURATION
        ) from None


# -- the parts --------------------------------------------------------------------


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


def _policy(configuration: Configuration) -> Policy:
    discovery = configuration.discovery
    names_others = {
        "discovery.initialPeers": bool(discovery.initial_peers),
        "discovery.type": discovery.type is not None,
    }
    return Policy(
        required_size=configuration.required_cluster_size,
        peer_url=_url(configuration, configuration.peer.advertise),
        listens_for=tuple(key for key, given in names_others.items() if given),
        store=None if configuration.snapshot.file is None else "snapshot.file",
        require_snapshot=configuration.recovery.require_snapshot,
        observe=configuration.recovery.observe,
    )


def _url(configuration: Configuration, address: Address) -> str:
    return f"{'https' if configuration.tls else 'http'}://{address}"


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
    """

    _reactor: IDaemonReactor
    _loaded: Loaded
    _api: ApiService | None = field(default=None, init=False)

    def parts(self) -> Parts:
        """Everything, first to start first; it stops in reverse."""
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
            utc_now=_wall_clock,
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
        loop = self._loop(directory, server, client)
        services = OrderedServices(
            [
                Held(lock.acquire, lock.release),
                Held(disk.start, disk.stop),
                Held(network.start, network.stop),
                Held(_nothing, client.close),
                Held(_nothing, server.stop),
                loop,
                *self._tellers(loop, server),
            ]
        )
        return Parts(services, server)

    def _loop(
        self, directory: DataDirectory, server: EtcdSupervisor, client: EtcdClient
    ) -> ConvergenceService:
        configuration = self._loaded.configuration
        policy = _policy(configuration)
        override = configuration.override_name
        return ConvergenceService(
            clock=self._reactor,
            wall_clock=_wall_clock,
            policy=policy,
            settings=self._node_settings(),
            observer=Observer(
                clock=self._reactor,
                wall_clock=_wall_clock,
                server=server,
                directory=directory,
                client=client,
                override=None if override is None else NodeName(override),
                fresh_name=NodeName(secrets.token_hex(8)),
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
            extra_warnings=lambda: (*directory.warnings, *self._api_warnings()),
        )

    def _node_settings(self) -> NodeSettings:
        configuration = self._loaded.configuration
        return NodeSettings(
            cluster_name=configuration.cluster_name,
            e2d_version=__version__,
            pid=os.getpid(),
            started_at=_wall_clock(),
            config=self._loaded.source,
            socket=self._socket().path,
            binary=configuration.etcd.binary or "etcd",
            client_url=_url(configuration, configuration.client.advertise),
            warnings=(
                *(str(warning) for warning in self._loaded.warnings),
                *filter(None, [exposure(configuration.api.addr)]),
            ),
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
        self, loop: ConvergenceService, server: EtcdSupervisor
    ) -> Sequence[IService]:
        tellers: list[IService] = [
            AfterTheFirstMove(
                clock=self._reactor,
                server=server,
                make=lambda: self._make_api(loop),
            )
        ]
        if os.environ.get("NOTIFY_SOCKET"):
            tellers.append(self._notifier(loop))
        return tellers

    def _make_api(self, loop: ConvergenceService) -> IService:
        # Late and here: these take a tenth of a second to load, and etcd starts first.
        from e2d.api.service import ApiService, ApiSettings

        self._api = ApiService(
            self._reactor,
            loop,
            loop,
            _wall_clock,
            ApiSettings(
                address=self._loaded.configuration.api.addr, socket=self._socket()
            ),
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


# -- running it -------------------------------------------------------------------


class Daemon(Service):
    """
    The daemon as twistd and `run_foreground` start and stop it.

    :param path: as `load` takes it; what it names is read now, and again on SIGHUP.
    """

    _log = Logger()

    def __init__(self, reactor: IDaemonReactor, path: str | None) -> None:
        self._reactor = reactor
        # twistd may change the working directory before it starts us.
        self._path = path if path in {None, STANDARD_INPUT} else os.path.abspath(path)
        self._loaded = load(path)
        self._parts: Parts | None = None

    def startService(self) -> None:
        """
        Lock the data directory and begin.

        :raises SystemExit: 1, and a line on standard error: it cannot be locked, or
            what was configured cannot be had.
        """
        super().startService()
        try:
            parts = Composition(reactor=self._reactor, loaded=self._loaded).parts()
            parts.service.startService()
        except SocketPathTooLong as error:
            raise _fail(str(error), EXIT_CONFIGURATION) from None
        except DataDirectoryError as error:
            raise _fail(str(error), EXIT_FAILED) from None
        self._parts = parts
        for warning in self._loaded.warnings:
            self._log.warn("{warning}", warning=str(warning))
        self._reactor.callWhenRunning(_take_signals, self._reactor, self._reload)

    def stopService(self) -> Deferred[None]:
        """Fires when etcd has stopped and the data directory is free."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        parts, self._parts = self._parts, None
        if parts is not None:
            stopped = parts.service.stopService()
            if stopped is not None:
                await stopped

    def _reload(self) -> None:
        """SIGHUP: take from a changed file what can be taken, and say what cannot."""
        if self._path == STANDARD_INPUT:
            self._log.warn("Not reloaded: the configuration came from standard input")
            return
        try:
            fresh = _read(self._path)
        except ConfigurationError as error:
            for problem in error.problems:
                self._log.error("{problem}", problem=str(problem))
            self._log.error("The running configuration is kept")
            return
        self._take(fresh.configuration)

    def _take(self, fresh: Configuration) -> None:
        from e2d.config.writing import changed_keys

        running = self._loaded.configuration
        taken = reloaded(running, fresh)
        now, later = changed_keys(running, taken), changed_keys(taken, fresh)
        if now and self._parts is not None:
            self._loaded = evolve(self._loaded, configuration=taken)
            data_dir = os.path.abspath(taken.data_dir)
            settings = EtcdSettings.from_configuration(taken, data_dir)
            self._parts.server.reconfigure(settings)
            self._log.info(
                "Reloaded {keys}: in force when etcd is next started (e2d restart)",
                keys=", ".join(now),
            )
        if later:
            self._log.warn(
                "Not changed while running: {keys}. Restart e2d to apply",
                keys=", ".join(later),
            )
        if not (now or later):
            self._log.info("Reloaded: nothing has changed")


def makeService(options: Options, reactor: IDaemonReactor | None = None) -> IService:
    """
    What ``twistd e2d`` runs.

    :param reactor: None for the global one.
    """
    return Daemon(_with_boottime(reactor), options["config"])


def _with_boottime(reactor: IDaemonReactor | None) -> IDaemonReactor:
    if reactor is None:
        from twisted.internet import reactor as installed

        reactor = cast("IDaemonReactor", installed)
    # Before anything is scheduled: Twisted's own default is the wall clock (A16).
    reactor.seconds = boottime  # type: ignore[method-assign]
    return reactor


def _take_signals(reactor: IDaemonReactor, reload: Callable[[], None]) -> None:
    """
    SIGTERM and SIGINT stop cleanly, SIGHUP reloads.

    Ours, not Twisted's: twistd would raise the signal again at the end, and a service
    manager would read a clean stop as a death by signal.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        reactor.callFromThread(_stop_once, reactor)

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        reactor.callFromThread(reload)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, hang_up)


def _stop_once(reactor: IDaemonReactor) -> None:
    try:
        reactor.stop()
    except ReactorNotRunning:
        return  # it is stopping already: asked twice is asked once


def run_foreground(config: str | None, log_format: str, verbose: bool) -> int:
    """
    ``e2d run``: until a signal ends it.

    :param config: a file, ``-``, or None for the default places.
    :param log_format: ``text`` or ``json``, on standard error.
    :return: the exit code.
    """
    line = json_line if log_format == "json" else text_line
    observer = line_observer(sys.stderr, line, verbose=verbose)
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    reactor = _with_boottime(None)
    daemon = Daemon(reactor, config)
    daemon.startService()
    reactor.addSystemEventTrigger("before", "shutdown", daemon.stopService)
    reactor.run()
    return 0
