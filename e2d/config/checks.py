"""What must hold between keys: each check reads the settings, and reports."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from attrs import frozen

from e2d.config import node_keys as node
from e2d.config import service_keys as service
from e2d.config.choices import GossipCompatibility
from e2d.config.endpoints import is_loopback, is_unspecified
from e2d.config.keys import ALPHA, Key
from e2d.config.problems import Findings, quoted
from e2d.config.ring_keys import MAXIMUM_KEYS, parse_ring_key
from e2d.config.settings import Settings
from e2d.config.values import Configuration
from e2d.model import Address

__all__ = ["check"]


_MAXIMUM_SOCKET_BYTES = 107


@frozen
class _Case:
    """One file on its way through the checks."""

    settings: Settings
    made: Configuration
    findings: Findings

    def error(self, key: Key[object], message: str, suggestion: str = "") -> None:
        """Report an error at a key's value."""
        self.findings.error(self.settings.place(key), key.path, message, suggestion)

    def warn(self, key: Key[object], message: str, suggestion: str = "") -> None:
        """Report a warning at a key's value."""
        self.findings.warn(self.settings.place(key), key.path, message, suggestion)

    def refuse_both(self, first: Key[object], second: Key[object]) -> None:
        """Report two keys that exclude each other."""
        if self.settings.given(first) and self.settings.given(second):
            self.error(
                second,
                f"`{first.path}` and `{second.path}` are both given",
                "keep one of them",
            )


def check(settings: Settings, configuration: Configuration, findings: Findings) -> None:
    """
    Hold everything against everything else.

    :param configuration: built from the settings.
    """
    case = _Case(settings, configuration, findings)
    for one in _CHECKS:
        one(case)


def _check_size(case: _Case) -> None:
    size, discovery = case.made.required_cluster_size, case.made.discovery
    alone = not discovery.initial_peers and discovery.type is None
    broken = case.settings.broken(node.INITIAL_PEERS, node.DISCOVERY_TYPE)
    if size > 1 and alone and not broken:
        case.error(
            node.REQUIRED_CLUSTER_SIZE,
            f"`requiredClusterSize` is {size}, but nothing says where the others are",
            "give `discovery.initialPeers` or `discovery.type`",
        )
    for key, endpoint in (
        (node.CLIENT_ADDR, case.made.client),
        (node.PEER_ADDR, case.made.peer),
    ):
        if size > 1 and is_loopback(endpoint.advertise.host):
            case.warn(
                key,
                f"`{key.path}`: {quoted(str(endpoint.advertise))} is loopback, so only "
                "nodes on this host reach it",
            )


_NEEDED_BY_TYPE: dict[str, Key[object]] = {
    "aws/tags": node.DISCOVERY_MATCHES,
    "digitalocean/tags": node.DISCOVERY_MATCHES,
    "dns": node.DISCOVERY_NAME,
    "exec": node.DISCOVERY_COMMAND,
    "file": node.DISCOVERY_FILE,
}


def _check_discovery(case: _Case) -> None:
    chosen = case.made.discovery.type
    needed = _NEEDED_BY_TYPE.get(chosen or "")
    missing = needed is not None and not case.settings.get(needed)
    if needed is not None and missing and not case.settings.broken(needed):
        # With seeds the original never asked the provider: such files work.
        seeded = case.settings.version == ALPHA and case.made.discovery.initial_peers
        report = case.warn if seeded else case.error
        report(
            node.DISCOVERY_TYPE,
            f"`discovery.type` {quoted(str(chosen))} needs `{needed.path}`",
        )
    if chosen == "digitalocean/tags" and len(case.made.discovery.matches) > 1:
        first = case.made.discovery.matches[0][0]
        case.warn(
            node.DISCOVERY_MATCHES,
            f"DigitalOcean is asked for one tag only: {quoted(first)}",
        )
    for kind in ("dns", "exec", "file"):
        key = _NEEDED_BY_TYPE[kind]
        if case.settings.given(key) and chosen != kind:
            case.warn(
                key,
                f"`{key.path}` has no effect without `discovery.type: {kind}`",
            )


def _check_tls(case: _Case) -> None:
    if case.settings.broken(node.CA_CERT, node.CA_KEY):
        return
    certs = case.settings.section_given("certs")
    if case.made.ca_cert is None and case.made.ca_key is not None:
        case.error(
            node.CA_KEY,
            "`caKey` without `caCert`",
            "give both, or `caCert` alone where others issue the certificates",
        )
    elif case.made.ca_cert is None and certs is not None:
        case.findings.error(certs, "certs", "`certs` without `caCert`", "give `caCert`")
    for cert, key in (
        (node.SERVER_CERT, node.SERVER_KEY),
        (node.PEER_CERT, node.PEER_KEY),
        (node.CLIENT_CERT, node.CLIENT_KEY),
    ):
        if case.settings.given(cert) != case.settings.given(key):
            given, other = (cert, key) if case.settings.given(cert) else (key, cert)
            case.error(
                given,
                f"`{given.path}` without `{other.path}`",
                "give both",
            )
    if case.made.certs.renew_before >= case.made.certs.lifetime:
        place = case.settings.place(node.CERTS_RENEW_BEFORE)
        case.findings.error(
            place or case.settings.place(node.CERTS_LIFETIME),
            node.CERTS_RENEW_BEFORE.path,
            "`certs.renewBefore` must be shorter than `certs.lifetime`",
        )


def _check_gossip_keys(case: _Case) -> None:
    ring = case.made.gossip_ring
    keyed = bool(ring.keys) or ring.keys_file is not None
    case.refuse_both(node.GOSSIP_KEYS, node.GOSSIP_KEYS_FILE)
    _check_number_of_keys(case, [parse_ring_key(key.reveal()) for key in ring.keys])
    if ring.insecure and (keyed or case.made.ca_key is not None):
        why = "there are keys" if keyed else "a key is derived from the CA's"
        case.warn(node.GOSSIP_INSECURE, f"`gossip.insecure` has no effect: {why}")
    if not ring.enabled or keyed or case.made.ca_key is not None:
        return
    if case.settings.broken(node.CA_KEY, node.GOSSIP_KEYS, node.GOSSIP_KEYS_FILE):
        return
    if case.made.tls and not ring.insecure:
        case.error(
            node.CA_CERT,
            "TLS without `caKey` leaves gossip without a key",
            "give `gossip.keys` or `gossip.keysFile`, or accept it with "
            "`gossip.insecure: true`",
        )
        return
    # The original's 1.0 line seals all the same, with zeros for a key (W-19).
    zeros = ring.compat is GossipCompatibility.ORIGINAL
    how = "sealed with a key that is no secret" if zeros else "not encrypted"
    case.findings.warn(
        None,
        node.GOSSIP_KEYS.path,
        f"gossip is {how}: whoever reaches it can steer the membership",
        "give `caCert` and `caKey`, or `gossip.keys`",
    )


def _check_number_of_keys(case: _Case, keys: list[bytes]) -> None:
    if len(set(keys)) < len(keys):
        case.error(node.GOSSIP_KEYS, "`gossip.keys` gives one key more than once")
    if len(keys) > MAXIMUM_KEYS:
        case.error(
            node.GOSSIP_KEYS,
            f"`gossip.keys` has {len(keys)} keys, and a ring has at most "
            f"{MAXIMUM_KEYS}",
        )


def _check_gossip_label(case: _Case) -> None:
    if case.made.gossip_ring.compat is not None and case.settings.given(
        node.GOSSIP_LABEL
    ):
        case.error(
            node.GOSSIP_LABEL,
            "`gossip.label` with `gossip.compat`: the original knows no labels",
            "drop one of them",
        )


def _check_auth(case: _Case) -> None:
    case.refuse_both(service.AUTH_PASSWORD, service.AUTH_PASSWORD_FILE)
    auth, place = case.made.etcd.auth, case.settings.section_given("etcd.auth")
    if auth is None and place is not None:
        case.findings.error(
            place, service.AUTH_USER.path, "`etcd.auth` without a user", "give `user`"
        )
    if auth is not None and auth.password is None and auth.password_file is None:
        case.findings.error(
            place,
            service.AUTH_PASSWORD_FILE.path,
            "`etcd.auth` without a password",
            "give `etcd.auth.passwordFile`, or drop `etcd.auth` and use a client "
            "certificate",
        )


def _check_snapshots(case: _Case) -> None:
    snapshot = case.made.snapshot
    case.refuse_both(service.SIGNING_KEY, service.SIGNING_KEY_FILE)
    unkeyed = case.made.ca_key is None and not case.settings.broken(node.CA_KEY)
    if snapshot.encryption and unkeyed:
        case.error(
            service.SNAPSHOT_ENCRYPTION,
            "`snapshot.encryption` needs `caKey`, from which its key is derived",
            "give `caCert` and `caKey`, or switch it off",
        )
    kept = snapshot.retention
    if not kept.last and not kept.hourly and not kept.daily:
        case.findings.error(
            case.settings.section_given("snapshot.retention"),
            "snapshot.retention",
            "`snapshot.retention` keeps nothing",
            "keep at least the `last: 1`",
        )
    if snapshot.file is not None and snapshot.file.startswith("file://"):
        _check_path(case, snapshot.file)
    if snapshot.file is None and not case.settings.broken(service.SNAPSHOT_FILE):
        _check_unused(case)


def _check_unused(case: _Case) -> None:
    """Only what is not a default tells that snapshots were meant to be taken."""
    for key in (
        service.SNAPSHOT_ENCRYPTION,
        service.LIMIT_RATE,
        service.SNAPSHOT_EXTRA_ARGS,
    ):
        if case.settings.get(key):
            case.warn(key, f"`{key.path}` has no effect without `snapshot.file`")


def _check_path(case: _Case, url: str) -> None:
    if not url.startswith("file:///"):
        case.warn(
            service.SNAPSHOT_FILE,
            f"`snapshot.file`: {quoted(url)} is relative to the working directory",
            f"for an absolute path write `file:///{url.removeprefix('file://')}`",
        )


def _check_recovery(case: _Case) -> None:
    unstored = case.made.snapshot.file is None
    if case.settings.broken(service.SNAPSHOT_FILE):
        unstored = False
    if case.made.recovery.require_snapshot and unstored:
        case.error(
            service.REQUIRE_SNAPSHOT,
            "`recovery.requireSnapshot` without a store could never be met",
            "give `snapshot.file`",
        )
    if case.made.membership.spares > 1:
        case.warn(
            service.SPARES,
            "`membership.spares` above 1 needs etcd 3.6 or newer",
        )


def _check_dangers(case: _Case) -> None:
    if case.made.etcd.unsafe_no_fsync:
        case.warn(
            service.UNSAFE_NO_FSYNC,
            "`unsafeNoFsync`: a power cut loses acknowledged writes",
        )
    if not is_loopback(case.made.api.addr.host):
        case.warn(
            service.API_ADDR,
            f"`api.addr`: {quoted(str(case.made.api.addr))} is open to the network",
            f"`127.0.0.1:{case.made.api.addr.port}` is not",
        )
    if case.made.metrics is None and case.settings.given(service.METRICS_DISABLE_AUTH):
        case.warn(
            service.METRICS_DISABLE_AUTH,
            "`metrics.disableAuth` has no effect without `metrics.addr`",
        )


def _check_socket(case: _Case) -> None:
    """The kernel's limit (C15); the default place is checked where it is known."""
    path = case.made.api.socket
    if path is not None and len(path.encode()) > _MAXIMUM_SOCKET_BYTES:
        case.error(
            service.API_SOCKET,
            f"`api.socket` has {len(path.encode())} bytes, and a socket's path may "
            f"have {_MAXIMUM_SOCKET_BYTES}",
            "choose a shorter one",
        )


def _check_ports(case: _Case) -> None:
    """One address can't be listened on twice."""
    used: list[tuple[Key[object], tuple[Address, ...]]] = [
        (node.CLIENT_ADDR, case.made.client.listen_addresses),
        (node.PEER_ADDR, (case.made.peer.listen,)),
        (service.API_ADDR, (case.made.api.addr,)),
    ]
    if case.made.gossip_ring.enabled:
        used.append((node.GOSSIP_ADDR, (case.made.gossip.listen,)))
    if case.made.metrics is not None:
        addresses = case.made.metrics.endpoint.listen_addresses
        used.append((service.METRICS_ADDR, addresses))
    for (first, ones), (second, others) in combinations(used, 2):
        clash = [one for one in ones if any(_overlap(one, other) for other in others)]
        if clash:
            case.findings.error(
                case.settings.place(second) or case.settings.place(first),
                second.path,
                f"`{first.path}` and `{second.path}` both listen on {clash[0]}",
                "give one of them another port",
            )


def _overlap(one: Address, other: Address) -> bool:
    if one.port != other.port:
        return False
    hosts = {host.replace("localhost", "127.0.0.1") for host in (one.host, other.host)}
    return len(hosts) == 1 or any(is_unspecified(host) for host in hosts)


_CHECKS: tuple[Callable[[_Case], None], ...] = (
    _check_size,
    _check_discovery,
    _check_tls,
    _check_gossip_keys,
    _check_gossip_label,
    _check_auth,
    _check_snapshots,
    _check_recovery,
    _check_dangers,
    _check_socket,
    _check_ports,
)
