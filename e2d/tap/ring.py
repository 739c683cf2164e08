"""The gossip ring of a daemon, made of its configuration."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import SystemRandom
from typing import TypeVar

from attrs import frozen

from twisted.application.service import IService
from twisted.internet.threads import deferToThreadPool
from twisted.logger import (
    FilteringLogObserver,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogPublisher,
)
from twisted.python.threadpool import ThreadPool

from e2d import __version__
from e2d.config.choices import GossipProfile
from e2d.config.values import Configuration
from e2d.gossip.keys import RingKeyError, ring_keys
from e2d.gossip.presence import RingSettings
from e2d.gossip.service import GossipService
from e2d.interfaces import IDaemonReactor
from e2d.model import Address
from e2d.services import Held
from e2d.swim.sealing import Keyring
from e2d.swim.settings import LAN, LOCAL, WAN

__all__ = ["RingParts", "ring_parts", "ring_settings"]

_T = TypeVar("_T")

THREADS = 2
"""What connections carry is decoded there: more would only share the same cores."""

_KEY_FILE_BYTES = 64 * 1024
"""A private key has a few kilobytes, and sixteen gossip keys have less."""

_TIMINGS = {
    GossipProfile.LAN: LAN,
    GossipProfile.WAN: WAN,
    GossipProfile.LOCAL: LOCAL,
}

_LEVELS = {
    "debug": LogLevel.debug,
    "info": LogLevel.info,
    "warn": LogLevel.warn,
    "error": LogLevel.error,
}
"""zap's other levels, which end the process there, are above all of ours."""

_LOOPBACK = "127.0.0.1"


@frozen
class RingParts:
    """
    What a daemon needs to take part in a ring.

    :param services: in the order in which they start.
    """

    services: tuple[IService, ...]
    membership: GossipService


def ring_parts(reactor: IDaemonReactor, configuration: Configuration) -> RingParts:
    """Put together what takes part in the ring."""
    pool = ThreadPool(minthreads=0, maxthreads=THREADS, name="gossip")

    async def in_pool(function: Callable[[], _T]) -> _T:
        return await deferToThreadPool(reactor, pool, function)

    async def read_keyring() -> Keyring | None:
        return await in_pool(lambda: _keyring(configuration))

    ring = GossipService(
        reactor=reactor,
        run_in_pool=in_pool,
        settings=ring_settings(configuration),
        read_keyring=read_keyring,
        random=SystemRandom(),
        nonce=secrets.token_bytes,
        outcome=lambda _to, _why: None,
        log=_logger(configuration.memberlist_log_level),
    )
    return RingParts((Held(pool.start, pool.stop), ring), ring)


def ring_settings(configuration: Configuration) -> RingSettings:
    """How a node of this configuration takes part in a ring."""
    ring = configuration.gossip_ring
    scheme = "https" if configuration.tls else "http"
    return RingSettings(
        listen=_literal(configuration.gossip.listen),
        advertise=_literal(configuration.gossip.advertise),
        timings=_TIMINGS[ring.profile],
        label=ring.label,
        cluster_name=configuration.cluster_name,
        client_url=f"{scheme}://{configuration.client.advertise}",
        peer_url=f"{scheme}://{configuration.peer.advertise}",
        e2d_version=__version__,
        compat=ring.compat,
    )


def _literal(address: Address) -> Address:
    """The protocol knows addresses only, and a configuration one name: ours."""
    host = _LOOPBACK if address.host == "localhost" else address.host
    return Address(host, address.port)


def _keyring(configuration: Configuration) -> Keyring | None:
    """Blocks."""
    ring = configuration.gossip_ring
    ca_key = content = None
    # The CA's key is not looked at where keys are given: it may well be away then.
    if ring.keys_file is not None:
        content = _read("gossip.keysFile", ring.keys_file).decode("utf-8", "replace")
    elif configuration.ca_key is not None and not ring.keys:
        ca_key = _read("caKey", configuration.ca_key)
    keys = ring_keys(ring, ca_key=ca_key, keys_file=content)
    return Keyring(keys) if keys else None


def _read(key: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_KEY_FILE_BYTES)
    except OSError as error:
        raise RingKeyError(f"{key}: {path}: {error.strerror}") from None


def _logger(level: str) -> Logger:
    """Gossip's own log, with what ``MemberlistLogLevel`` keeps of it."""
    kept = LogLevelFilterPredicate(_LEVELS.get(level, LogLevel.critical))
    return Logger(
        namespace="e2d.gossip",
        observer=FilteringLogObserver(globalLogPublisher, [kept]),
    )
