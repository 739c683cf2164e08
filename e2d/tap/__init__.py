"""
The daemon: the only room that knows every other, and the reactor.

``twistd e2d`` and ``e2d run`` build the same service here. Nothing is opened, bound,
started or locked before the service starts: twistd forks between the two.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import cast

from attrs import evolve

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger, globalLogBeginner
from twisted.python import usage

from e2d import __version__
from e2d.api.loglines import json_line, line_observer, text_line
from e2d.api.places import SocketPathTooLong
from e2d.config.loading import Loaded
from e2d.config.problems import ConfigurationError
from e2d.config.reading import DEFAULT_FILE, STANDARD_INPUT, read_configuration
from e2d.config.values import HostFacts
from e2d.discovery.host import host_address
from e2d.etcd.command import EtcdSettings
from e2d.interfaces import DataDirectoryError, IDaemonReactor
from e2d.tap.composition import CannotCompose, Composition, Parts, reloaded
from e2d.tap.steady import SteadyClock, boottime

__all__ = ["Options", "makeService", "run_foreground"]

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2


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


# -- running it -------------------------------------------------------------------


class Daemon(Service):
    """
    The daemon as twistd and `run_foreground` start and stop it.

    :param path: as `load` takes it; what it names is read now, and again on SIGHUP.
    """

    _log = Logger()

    def __init__(self, reactor: IDaemonReactor, path: str | None) -> None:
        self._reactor = reactor
        self._clock = SteadyClock(boottime)
        # Before anything is scheduled: Twisted's own default is the wall clock (A16).
        reactor.seconds = self._clock.seconds  # type: ignore[method-assign]
        # twistd may change the working directory before it starts us.
        self._path = path if path in {None, STANDARD_INPUT} else os.path.abspath(path)
        self._loaded = load(path)
        self._composition = Composition(
            reactor=reactor,
            loaded=self._loaded,
            unseen=lambda: self._clock.unseen,
        )
        self._parts: Parts | None = None

    def startService(self) -> None:
        """
        Lock the data directory and begin.

        :raises SystemExit: 1, and a line on standard error: it cannot be locked, or
            what was configured cannot be had.
        """
        super().startService()
        self._clock.watch(self._reactor)
        try:
            parts = self._composition.parts()
            parts.service.startService()
        except (SocketPathTooLong, CannotCompose) as error:
            raise _fail(str(error), EXIT_CONFIGURATION) from None
        except DataDirectoryError as error:
            raise _fail(str(error), EXIT_FAILED) from None
        self._parts = parts
        self._log.info(
            "e2d {version} (pid {pid}) with {config}",
            version=__version__,
            pid=os.getpid(),
            config=self._loaded.source,
        )
        for warning in self._composition.warnings():
            self._log.warn("{warning}", warning=warning)
        self._reactor.callWhenRunning(_take_signals, self._reactor, self._reload)

    def stopService(self) -> Deferred[None]:
        """Fires when etcd has stopped and the data directory is free."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        parts, self._parts = self._parts, None
        if parts is None:
            return
        self._log.info("Stopping; etcd is stopped too")
        stopped = parts.service.stopService()
        if stopped is not None:
            await stopped
        self._clock.rest()
        self._log.info("Stopped")

    def _reload(self) -> None:
        """SIGHUP: take from a changed file what can be taken, and say what cannot."""
        if self._path == STANDARD_INPUT:
            self._log.warn("Not reloaded: the configuration came from standard input")
            return
        path = self._path or DEFAULT_FILE
        if os.path.exists(path) and not os.path.isfile(path):
            # Whoever opens a pipe waits for its writer, and everything with it.
            self._log.warn("Not reloaded: {path} is not a regular file", path=path)
            return
        try:
            fresh = _read(self._path)
        except ConfigurationError as error:
            for problem in error.problems:
                self._log.error("{problem}", problem=str(problem))
            self._log.error("The running configuration is kept")
            return
        self._take(fresh)

    def _take(self, fresh: Loaded) -> None:
        from e2d.config.writing import changed_keys

        running, wanted = self._loaded.configuration, fresh.configuration
        taken = reloaded(running, wanted)
        now, later = changed_keys(running, taken), changed_keys(taken, wanted)
        if now and self._parts is not None:
            self._loaded = evolve(fresh, configuration=taken)
            self._composition.reload(self._loaded)
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
    return Daemon(reactor or _installed_reactor(), options["config"])


def _installed_reactor() -> IDaemonReactor:
    from twisted.internet import reactor

    return cast("IDaemonReactor", reactor)


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
    reactor = _installed_reactor()
    daemon = Daemon(reactor, config)
    daemon.startService()
    reactor.addSystemEventTrigger("before", "shutdown", daemon.stopService)
    reactor.run()
    return 0
