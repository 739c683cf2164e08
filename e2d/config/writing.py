"""A configuration to text: the newest form, with every value spelled out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import yaml

from e2d.config import node_keys as node
from e2d.config import service_keys as service
from e2d.config.keys import BETA, KIND, Key
from e2d.config.kinds import Written
from e2d.config.secret import MASK, Secret
from e2d.config.values import CertificatePair, Configuration

__all__ = ["as_document", "changed_keys", "show", "show_with_secrets"]


def show(configuration: Configuration) -> str:
    """
    The configuration as YAML, secrets as ``***``.

    Loaded on any host it means the same, but for the secrets.
    """
    return _yaml(as_document(configuration))


def show_with_secrets(configuration: Configuration) -> str:
    """The configuration as YAML that loads to the same; for files, never for logs."""
    return _yaml(_plain(_document(configuration), lambda secret: secret.reveal()))


def as_document(configuration: Configuration) -> dict[str, object]:
    """The configuration as JSON's values, secrets as ``***``."""
    return _plain(_document(configuration), lambda _secret: MASK)


def _yaml(document: Mapping[str, object]) -> str:
    text = yaml.dump(
        document,
        Dumper=yaml.SafeDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=10_000,
    )
    assert isinstance(text, str)
    return text


def _plain(
    value: Mapping[str, Written], reveal: Callable[[Secret], str]
) -> dict[str, object]:
    return {name: _plain_value(inner, reveal) for name, inner in value.items()}


def _plain_value(value: Written, reveal: Callable[[Secret], str]) -> object:
    match value:
        case Secret():
            return reveal(value)
        case dict():
            return _plain(value, reveal)
        case list():
            return [_plain_value(item, reveal) for item in value]
        case _:
            return value


def _document(configuration: Configuration) -> dict[str, Written]:
    """Values by sections, in the table's order; what is not given is left out."""
    document: dict[str, Written] = {"apiVersion": BETA, "kind": KIND}
    pairs = (
        *_node_values(configuration),
        *_certificate_values(configuration),
        *_discovery_values(configuration),
        *_gossip_values(configuration),
        *_etcd_values(configuration),
        *_membership_values(configuration),
        *_snapshot_values(configuration),
        *_recovery_values(configuration),
        *_api_values(configuration),
    )
    for key, value in pairs:
        if value is not None and value != ():
            _place(document, key, key.kind.write(value))
        elif value is None and key.none_word:
            _place(document, key, key.none_word)
    return document


def _place(document: dict[str, Written], key: Key[object], value: Written) -> None:
    section = document
    for name in key.path.split(".")[:-1]:
        inner = section.setdefault(name, {})
        assert isinstance(inner, dict)
        section = inner
    section[key.name] = value


_Pairs = tuple[tuple[Key[object], object], ...]


def _node_values(made: Configuration) -> _Pairs:
    return (
        (node.DATA_DIR, made.data_dir),
        (node.CLUSTER_NAME, made.cluster_name),
        (node.REQUIRED_CLUSTER_SIZE, made.required_cluster_size),
        (node.CLIENT_ADDR, made.client),
        (node.PEER_ADDR, made.peer),
        # Given, it would make a node gossip that does not.
        (node.GOSSIP_ADDR, made.gossip if made.gossip_ring.enabled else None),
        (node.OVERRIDE_NAME, made.override_name),
        (node.EVICT_AFTER, made.evict_after),
        (node.HEALTH_CHECK_INTERVAL, made.health_check_interval),
        (node.MEMBERLIST_LOG_LEVEL, made.memberlist_log_level),
        (service.ETCD_LOG_LEVEL, made.etcd.log_level),
        (service.COMPACTION_INTERVAL, made.etcd.compaction_interval),
        (service.UNSAFE_NO_FSYNC, made.etcd.unsafe_no_fsync),
        (service.DISABLE_PRE_VOTE, not made.etcd.pre_vote),
    )


def _certificate_values(made: Configuration) -> _Pairs:
    certs = made.certs
    if not made.tls:
        return ()
    return (
        (node.CA_CERT, made.ca_cert),
        (node.CA_KEY, made.ca_key),
        *_pair(node.SERVER_CERT, node.SERVER_KEY, certs.server),
        *_pair(node.PEER_CERT, node.PEER_KEY, certs.peer),
        *_pair(node.CLIENT_CERT, node.CLIENT_KEY, certs.client),
        (node.CERTS_LIFETIME, certs.lifetime),
        (node.CERTS_RENEW_BEFORE, certs.renew_before),
        (node.CERTS_ALT_NAMES, certs.alt_names),
    )


def _pair(cert: Key[object], key: Key[object], pair: CertificatePair | None) -> _Pairs:
    assert pair is not None
    return ((cert, pair.cert), (key, pair.key))


def _discovery_values(made: Configuration) -> _Pairs:
    discovery = made.discovery
    return (
        (node.INITIAL_PEERS, discovery.initial_peers),
        (node.BOOTSTRAP_TIMEOUT, discovery.bootstrap_timeout),
        (node.DISCOVERY_TYPE, discovery.type),
        (node.DISCOVERY_INTERVAL, discovery.interval),
        (node.DISCOVERY_MATCHES, discovery.matches),
        (node.DISCOVERY_NAME, discovery.name),
        (node.DISCOVERY_FILE, discovery.file),
        (node.DISCOVERY_COMMAND, discovery.command),
    )


def _gossip_values(made: Configuration) -> _Pairs:
    ring = made.gossip_ring
    return (
        (node.GOSSIP_PROFILE, ring.profile),
        (node.GOSSIP_KEYS, ring.keys),
        (node.GOSSIP_KEYS_FILE, ring.keys_file),
        (node.GOSSIP_LABEL, ring.label),
        (node.GOSSIP_KEY_GRACE, ring.key_grace),
        (node.GOSSIP_INSECURE, ring.insecure),
        (node.GOSSIP_COMPAT, ring.compat),
    )


def _etcd_values(made: Configuration) -> _Pairs:
    etcd, auth = made.etcd, made.etcd.auth
    login: _Pairs = ()
    if auth is not None:
        login = (
            (service.AUTH_USER, auth.user),
            (service.AUTH_PASSWORD, auth.password),
            (service.AUTH_PASSWORD_FILE, auth.password_file),
        )
    listener: _Pairs = ()
    if made.metrics is not None:
        listener = (
            (service.METRICS_ADDR, made.metrics.endpoint),
            (service.METRICS_DISABLE_AUTH, made.metrics.disable_auth),
        )
    return (
        (service.ETCD_BINARY, etcd.binary),
        (service.ETCD_EXTRA_ARGS, etcd.extra_args),
        (service.ETCD_ENV, etcd.env),
        *login,
        (service.QUOTA_BACKEND_BYTES, etcd.quota_backend_bytes),
        (service.ALLOW_VERSION, etcd.allow_version),
        *listener,
        (service.METRICS_TYPE, etcd.metrics_detail),
    )


def _membership_values(made: Configuration) -> _Pairs:
    membership = made.membership
    return (
        (service.KEEP_SEAT, membership.keep_seat),
        (service.ON_EVICTION, membership.on_eviction),
        (service.LEARNERS, membership.learners),
        (service.SPARES, membership.spares),
    )


def _snapshot_values(made: Configuration) -> _Pairs:
    snapshot, kept = made.snapshot, made.snapshot.retention
    session = snapshot.role_session_name
    return (
        (service.SNAPSHOT_FILE, snapshot.file),
        (service.SNAPSHOT_INTERVAL, snapshot.interval),
        (service.SNAPSHOT_COMPRESSION, snapshot.compression),
        (service.SNAPSHOT_ENCRYPTION, snapshot.encryption),
        (service.RETENTION_LAST, kept.last),
        (service.RETENTION_HOURLY, kept.hourly),
        (service.RETENTION_DAILY, kept.daily),
        (service.LIMIT_RATE, snapshot.limit_rate),
        (
            service.SNAPSHOT_EXTRA_ARGS,
            () if session is None else (("RoleSessionName", session),),
        ),
        (service.SIGNING_KEY, snapshot.signing_key),
        (service.SIGNING_KEY_FILE, snapshot.signing_key_file),
    )


def _recovery_values(made: Configuration) -> _Pairs:
    recovery = made.recovery
    return (
        (service.RECOVERY_MODE, recovery.mode),
        (service.RECOVERY_AFTER, recovery.after),
        (service.REQUIRE_SNAPSHOT, recovery.require_snapshot),
        (service.MAX_AGE, recovery.max_age),
        (service.SERVE, recovery.serve),
        (service.OBSERVE, recovery.observe),
    )


def _api_values(made: Configuration) -> _Pairs:
    return (
        (service.API_ADDR, made.api.addr),
        (service.API_SOCKET, made.api.socket),
    )


def changed_keys(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """
    The keys whose values differ, as they are written: ``compactionInterval``.

    :return: nothing for two configurations that are equal.
    """
    if before == after:
        return ()
    old, new = _flat(_document(before)), _flat(_document(after))
    changed = {key for key in old | new if old.get(key) != new.get(key)}
    return tuple(sorted(changed))


def _flat(document: Mapping[str, object], above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{above}{name}."))
        else:
            found[f"{above}{name}"] = value
    return found
