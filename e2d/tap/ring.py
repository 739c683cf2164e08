"""The gossip ring of a daemon, made of its configuration."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
from e2d.config.values import Configuration, Discovery
from e2d.discovery.file import PeersFile
from e2d.discovery.lookup import Lookups
from e2d.files import RunInPool
from e2d.gossip.joining import Joiner
from e2d.gossip.key_changes import KeyChanges
from e2d.gossip.key_holder import KeyHolder
from e2d.gossip.keys import RingKeyError, ring_keys
from e2d.gossip.meeting import Meetings, MeetingSettings
from e2d.gossip.payload import Payloads
from e2d.gossip.peer_file import PeerFile
from e2d.gossip.presence import Presence, RingSettings
from e2d.gossip.resolving import Names
from e2d.gossip.service import GossipService, Searched
from e2d.interfaces import IDaemonReactor, IDiscovery
from e2d.model import Address, Announcement, NodeID, NodeName, NodeStatus
from e2d.services import Held
from e2d.swim.messages import PeerAddress
from e2d.swim.sealing import Keyring
from e2d.swim.settings import LAN, LOCAL, WAN

__all__ = ["RingParts", "check_length", "ring_parts", "ring_settings"]

_T = TypeVar("_T")

THREADS = 2
"""What connections carry is decoded there: more would only share the same cores."""

RANDOM_NAME_LENGTH = 16
"""Of node ids, and of names that nobody gave."""

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


def wall_clock() -> datetime:
    """The time of day, for what outlives a boot."""
    return datetime.now(tz=UTC)


@frozen
class RingParts:
    """
    What a daemon needs to take part in a ring.

    :param services: in the order in which they start.
    """

    services: tuple[IService, ...]
    membership: GossipService
    keys: KeyChanges


def ring_parts(
    reactor: IDaemonReactor,
    configuration: Configuration,
    data_dir: str,
    unseen: Callable[[], float],
) -> RingParts:
    """
    Put together what takes part in the ring.

    :param data_dir: absolute; where peers are remembered.
    :param unseen: how many seconds the reactor's clock has left out so far.
    """
    pool = ThreadPool(minthreads=0, maxthreads=THREADS, name="gossip")

    async def in_pool(function: Callable[[], _T]) -> _T:
        return await deferToThreadPool(reactor, pool, function)

    async def read_keyring() -> Keyring | None:
        return await holder.begin(await in_pool(lambda: _keys(configuration)))

    def take_keyring(keyring: Keyring) -> None:
        ring.take_keyring(keyring)

    # What follows goes round in a circle: who meets others joins them to the ring, and
    # the ring says how that ended.
    def outcome(to: PeerAddress, problem: str | None) -> None:
        joiner.outcome(to, problem)

    def found_others() -> None:
        joiner.found_others()

    def searched() -> Searched:
        return Searched(
            unmet=joiner.unmet(), unheard=joiner.unheard(), untold=_untold(lookups)
        )

    settings = ring_settings(configuration)
    log = _logger(configuration.memberlist_log_level)
    discovery = configuration.discovery
    lookups = Lookups(
        reactor,
        _sources(discovery, in_pool),
        discovery.interval,
        SystemRandom(),
        found_others,
    )
    ring = GossipService(
        reactor=reactor,
        run_in_pool=in_pool,
        settings=settings,
        read_keyring=read_keyring,
        random=SystemRandom(),
        nonce=secrets.token_bytes,
        outcome=outcome,
        searched=searched,
        unseen=unseen,
        log=log,
    )
    own_directory = os.path.join(data_dir, "e2d")
    holder = KeyHolder(
        clock=reactor,
        directory=own_directory,
        run_in_pool=in_pool,
        wall_clock=wall_clock,
        grace=timedelta(seconds=configuration.gossip_ring.key_grace),
        take=take_keyring,
        log=log,
    )
    keys = KeyChanges(
        clock=reactor,
        membership=ring,
        holder=holder,
        nonce=secrets.token_bytes,
        log=log,
    )
    joiner = Joiner(
        clock=reactor,
        wall_clock=wall_clock,
        ring=ring,
        names=Names(reactor, reactor.nameResolver),
        peer_file=PeerFile(reactor, own_directory, in_pool, log),
        meetings=Meetings(MeetingSettings(), settings.advertise, SystemRandom()),
        seeds=discovery.initial_peers,
        found=lambda: [found for _label, found in lookups.found()],
        own=settings.advertise,
        label=settings.label,
        log=log,
    )
    services = (Held(pool.start, pool.stop), ring, keys, joiner, lookups)
    return RingParts(services, ring, keys)


def _sources(discovery: Discovery, run_in_pool: RunInPool) -> tuple[IDiscovery, ...]:
    """Seeds are no source: they are known."""
    if discovery.type != "file" or discovery.file is None:
        return ()
    return (PeersFile(discovery.file, run_in_pool),)


def _untold(lookups: Lookups) -> tuple[str, ...]:
    """Sources that could not tell so far."""
    if all(found is not None for _label, found in lookups.found()):
        return ()
    return lookups.problems() or ("discovery was not asked yet",)


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


def check_length(configuration: Configuration) -> None:
    """
    Check that gossip will carry what this node says of itself.

    :raises MetadataTooLong: it would not: e2d must not start.
    """
    settings = ring_settings(configuration)
    said = Announcement(
        name=NodeName(configuration.override_name or "0" * RANDOM_NAME_LENGTH),
        node_id=NodeID("0" * RANDOM_NAME_LENGTH),
        status=NodeStatus.PENDING,
        etcd_version=None,
        data=None,
    )
    Presence(settings, said).check(Payloads(settings.compat))


def _literal(address: Address) -> Address:
    """The protocol knows addresses only, and a configuration one name: ours."""
    host = _LOOPBACK if address.host == "localhost" else address.host
    return Address(host, address.port)


def _keys(configuration: Configuration) -> tuple[bytes, ...]:
    """The configured keys. Blocks."""
    ring = configuration.gossip_ring
    ca_key = content = None
    # The CA's key is not looked at where keys are given: it may well be away then.
    if ring.keys_file is not None:
        content = _read("gossip.keysFile", ring.keys_file).decode("utf-8", "replace")
    elif configuration.ca_key is not None and not ring.keys:
        ca_key = _read("caKey", configuration.ca_key)
    return ring_keys(ring, ca_key=ca_key, keys_file=content)


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
