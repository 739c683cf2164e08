"""Settings to a `Configuration`: what follows from several keys, or from the host."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from attrs import evolve

from e2d.config import node_keys as node
from e2d.config import service_keys as service
from e2d.config.choices import GossipCompatibility
from e2d.config.endpoints import WrittenEndpoint, is_unspecified
from e2d.config.keys import ALPHA, Key
from e2d.config.problems import Findings, quoted, suggestion_for
from e2d.config.settings import Settings
from e2d.config.values import (
    Api,
    CertificatePair,
    Certificates,
    Configuration,
    Discovery,
    Endpoint,
    EtcdAuth,
    EtcdOptions,
    Gossip,
    HostFacts,
    Membership,
    Metrics,
    Recovery,
    Retention,
    Snapshots,
)
from e2d.model import Address

__all__ = ["build"]

_LOOPBACK = "127.0.0.1"
_DEFAULT_NAME = "e2d"


def build(settings: Settings, host: HostFacts, findings: Findings) -> Configuration:
    """
    Put the values together; meaningful only if nothing was reported in the end.

    :param findings: told what can't be resolved on this host.
    """
    get = settings.get
    discovery = _discovery(settings, host, findings)
    cluster_name = get(node.CLUSTER_NAME) or _group(discovery) or _DEFAULT_NAME
    ring = _gossip(settings, discovery, cluster_name)
    evict_after = get(node.EVICT_AFTER)
    return Configuration(
        api_version=settings.version,
        data_dir=get(node.DATA_DIR),
        cluster_name=cluster_name,
        required_cluster_size=get(node.REQUIRED_CLUSTER_SIZE),
        client=_endpoint(settings, node.CLIENT_ADDR, host, findings),
        peer=_endpoint(settings, node.PEER_ADDR, host, findings),
        gossip=_gossip_endpoint(settings, ring, host, findings),
        ca_cert=get(node.CA_CERT),
        ca_key=get(node.CA_KEY),
        certs=_certificates(settings),
        evict_after=evict_after,
        health_check_interval=get(node.HEALTH_CHECK_INTERVAL),
        discovery=discovery,
        gossip_ring=ring,
        etcd=_etcd(settings),
        membership=_membership(settings, evict_after),
        snapshot=_snapshots(settings),
        recovery=_recovery(settings),
        api=_api(settings),
        metrics=_metrics(settings, host, findings),
        override_name=get(node.OVERRIDE_NAME),
        memberlist_log_level=get(node.MEMBERLIST_LOG_LEVEL),
    )


# -- addresses ------------------------------------------------------------------


def _endpoint(
    settings: Settings,
    key: Key[WrittenEndpoint],
    host: HostFacts,
    findings: Findings,
) -> Endpoint:
    return _resolve(settings.get(key), key.path, host, findings)


def _resolve(
    written: WrittenEndpoint, path: str, host: HostFacts, findings: Findings
) -> Endpoint:
    """An unspecified host is the host's address; with another advertised it stays."""
    listen = Address(written.host, written.port)
    if written.advertise is not None:
        port = written.advertise.port or written.port
        return Endpoint(listen=listen, advertise=evolve(written.advertise, port=port))
    if is_unspecified(written.host):
        if host.host_ip is None:
            findings.error(
                written.place,
                path,
                f"`{path}` is on every address, but this host has none beyond loopback",
                f"write one, such as `{Address(_LOOPBACK, written.port)}`",
            )
        listen = Address(host.host_ip or _LOOPBACK, written.port)
    return Endpoint(listen=listen, advertise=listen)


def _gossip_endpoint(
    settings: Settings, ring: Gossip, host: HostFacts, findings: Findings
) -> Endpoint:
    """A ring that is not run must not fail for want of an address."""
    if not ring.enabled and host.host_ip is None:
        host = evolve(host, host_ip=_LOOPBACK)
    return _endpoint(settings, node.GOSSIP_ADDR, host, findings)


def _metrics(settings: Settings, host: HostFacts, findings: Findings) -> Metrics | None:
    written = settings.get(service.METRICS_ADDR)
    if written is None:
        return None
    return Metrics(
        endpoint=_resolve(written, service.METRICS_ADDR.path, host, findings),
        disable_auth=settings.get(service.METRICS_DISABLE_AUTH),
    )


def _api(settings: Settings) -> Api:
    written = settings.get(service.API_ADDR)
    return Api(
        addr=Address(written.host, written.port),
        socket=settings.get(service.API_SOCKET),
    )


# -- finding others -------------------------------------------------------------


def _discovery(settings: Settings, host: HostFacts, findings: Findings) -> Discovery:
    get = settings.get
    peers = [_peer(settings, peer, host, findings) for peer in get(node.INITIAL_PEERS)]
    return Discovery(
        initial_peers=tuple(dict.fromkeys(peers)),
        type=_discovery_type(settings, host, findings),
        interval=get(node.DISCOVERY_INTERVAL),
        bootstrap_timeout=get(node.BOOTSTRAP_TIMEOUT),
        matches=get(node.DISCOVERY_MATCHES),
        name=get(node.DISCOVERY_NAME),
        file=get(node.DISCOVERY_FILE),
        command=get(node.DISCOVERY_COMMAND),
    )


def _peer(
    settings: Settings, peer: Address, host: HostFacts, findings: Findings
) -> Address:
    if not is_unspecified(peer.host):
        return peer
    if host.host_ip is None:
        findings.error(
            settings.place(node.INITIAL_PEERS),
            node.INITIAL_PEERS.path,
            f"`{node.INITIAL_PEERS.path}`: {quoted(str(peer))} is this host, which has "
            "no address beyond loopback",
        )
        return peer
    return Address(host.host_ip, peer.port)


def _discovery_type(
    settings: Settings, host: HostFacts, findings: Findings
) -> str | None:
    """The original took an unknown type for none, and old files may rely on it."""
    name = settings.get(node.DISCOVERY_TYPE)
    known = (*node.DISCOVERY_TYPES, *host.discovery_types)
    if name is None or name in known:
        return name
    path, place = node.DISCOVERY_TYPE.path, settings.place(node.DISCOVERY_TYPE)
    hint = suggestion_for(name, known)
    if settings.version == ALPHA:
        message = f"`{path}`: {quoted(name)} is not known and taken for none"
        findings.warn(place, path, message, hint)
        return None
    words = ", ".join(f"`{word}`" for word in known)
    message = f"`{path}` must be one of {words}, not {quoted(name)}"
    findings.error(place, path, message, hint)
    return name


def _group(discovery: Discovery) -> str | None:
    if discovery.type != "aws/autoscaling-group":
        return None
    name = dict(discovery.matches).get("name") or None
    # Groups may have names that no cluster can: a label of gossip, part of a manifest.
    return None if name is None else re.sub(r"[^A-Za-z0-9._-]", "-", name)[:128]


def _gossip(settings: Settings, discovery: Discovery, cluster_name: str) -> Gossip:
    get = settings.get
    compat: GossipCompatibility | None = get(node.GOSSIP_COMPAT)
    label = get(node.GOSSIP_LABEL) or (cluster_name if compat is None else None)
    enabled = (
        get(node.REQUIRED_CLUSTER_SIZE) > 1
        or bool(discovery.initial_peers)
        or discovery.type is not None
        or settings.given(node.GOSSIP_ADDR)
        or compat is not None  # whether there are originals, only a ring tells
    )
    return Gossip(
        enabled=enabled,
        profile=get(node.GOSSIP_PROFILE),
        keys=get(node.GOSSIP_KEYS),
        keys_file=get(node.GOSSIP_KEYS_FILE),
        label=label,
        key_grace=get(node.GOSSIP_KEY_GRACE),
        insecure=get(node.GOSSIP_INSECURE),
        compat=compat,
    )


# -- files, etcd, backups -------------------------------------------------------


def _certificates(settings: Settings) -> Certificates:
    get = settings.get
    pairs = {
        "server": (get(node.SERVER_CERT), get(node.SERVER_KEY)),
        "peer": (get(node.PEER_CERT), get(node.PEER_KEY)),
        "client": (get(node.CLIENT_CERT), get(node.CLIENT_KEY)),
    }
    ca_cert = get(node.CA_CERT)
    made: dict[str, CertificatePair | None] = dict.fromkeys(pairs)
    if ca_cert is not None:
        folder = PurePosixPath(ca_cert).parent
        for kind, (cert, key) in pairs.items():
            made[kind] = CertificatePair(
                cert=cert or str(folder / f"{kind}.crt"),
                key=key or str(folder / f"{kind}.key"),
            )
    return Certificates(
        server=made["server"],
        peer=made["peer"],
        client=made["client"],
        lifetime=get(node.CERTS_LIFETIME),
        renew_before=get(node.CERTS_RENEW_BEFORE),
        alt_names=get(node.CERTS_ALT_NAMES),
    )


def _etcd(settings: Settings) -> EtcdOptions:
    get = settings.get
    return EtcdOptions(
        binary=get(service.ETCD_BINARY),
        extra_args=get(service.ETCD_EXTRA_ARGS),
        env=get(service.ETCD_ENV),
        auth=_auth(settings),
        quota_backend_bytes=get(service.QUOTA_BACKEND_BYTES),
        compaction_interval=get(service.COMPACTION_INTERVAL),
        log_level=get(service.ETCD_LOG_LEVEL),
        allow_version=get(service.ALLOW_VERSION),
        unsafe_no_fsync=get(service.UNSAFE_NO_FSYNC),
        pre_vote=not get(service.DISABLE_PRE_VOTE),
        metrics_detail=get(service.METRICS_TYPE),
    )


def _auth(settings: Settings) -> EtcdAuth | None:
    user = settings.get(service.AUTH_USER)
    if user is None:
        return None
    return EtcdAuth(
        user=user,
        password=settings.get(service.AUTH_PASSWORD),
        password_file=settings.get(service.AUTH_PASSWORD_FILE),
    )


def _membership(settings: Settings, evict_after: float) -> Membership:
    get = settings.get
    keep_seat = get(service.KEEP_SEAT)
    return Membership(
        keep_seat=evict_after if keep_seat is None else keep_seat,
        on_eviction=get(service.ON_EVICTION),
        learners=get(service.LEARNERS),
        spares=get(service.SPARES),
    )


def _snapshots(settings: Settings) -> Snapshots:
    get = settings.get
    return Snapshots(
        file=get(service.SNAPSHOT_FILE),
        interval=get(service.SNAPSHOT_INTERVAL),
        compression=get(service.SNAPSHOT_COMPRESSION),
        encryption=get(service.SNAPSHOT_ENCRYPTION),
        retention=Retention(
            last=get(service.RETENTION_LAST),
            hourly=get(service.RETENTION_HOURLY),
            daily=get(service.RETENTION_DAILY),
        ),
        limit_rate=get(service.LIMIT_RATE),
        role_session_name=dict(get(service.SNAPSHOT_EXTRA_ARGS)).get("RoleSessionName"),
        signing_key=get(service.SIGNING_KEY),
        signing_key_file=get(service.SIGNING_KEY_FILE),
    )


def _recovery(settings: Settings) -> Recovery:
    get = settings.get
    return Recovery(
        mode=get(service.RECOVERY_MODE),
        after=get(service.RECOVERY_AFTER),
        require_snapshot=get(service.REQUIRE_SNAPSHOT),
        max_age=get(service.MAX_AGE),
        serve=get(service.SERVE),
        observe=get(service.OBSERVE),
    )
