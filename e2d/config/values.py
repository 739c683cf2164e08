"""
What a configuration is once it is checked: frozen values, every default filled in.

Durations are seconds, sizes bytes, addresses resolved: who holds a `Configuration` asks
no file and no host again. How each key is written is `e2d.config.keys`' to say.
"""

from __future__ import annotations

from attrs import field, frozen

from e2d.config.choices import (
    Compression,
    Eviction,
    GossipCompatibility,
    GossipProfile,
    MetricsDetail,
    RecoveryMode,
    ServeWhen,
)
from e2d.config.secret import Secret
from e2d.model import Address

__all__ = [
    "Api",
    "CertificatePair",
    "Certificates",
    "Compression",
    "Configuration",
    "Discovery",
    "Endpoint",
    "EtcdAuth",
    "EtcdOptions",
    "Eviction",
    "Gossip",
    "GossipCompatibility",
    "GossipProfile",
    "HostFacts",
    "Membership",
    "Metrics",
    "MetricsDetail",
    "Recovery",
    "RecoveryMode",
    "Retention",
    "ServeWhen",
    "Snapshots",
]


@frozen(kw_only=True)
class HostFacts:
    """
    What the meaning of a file depends on besides its text.

    :param host_ip: the address that stands for ``0.0.0.0`` and ``::``: the host's first
        IPv4 address beyond loopback, else its first such IPv6 address; None when it
        has neither.
    :param discovery_types: names that plugins add to ``discovery.type``.
    """

    host_ip: str | None
    discovery_types: tuple[str, ...] = ()


@frozen(kw_only=True)
class Endpoint:
    """
    Where something listens, and where others are told to find it.

    :param listen: an IP literal or ``localhost``; ``0.0.0.0`` or ``::`` only when
        another host to advertise was given.
    :param advertise: never an unspecified address.
    """

    listen: Address
    advertise: Address

    @property
    def listen_addresses(self) -> tuple[Address, ...]:
        """
        `listen`, and the same port on ``127.0.0.1`` where `listen` is another one.

        Tools on the host itself find etcd on loopback, as they did with the original;
        what already listens there, or everywhere, is not bound twice.
        """
        host = self.listen.host
        if host in {"localhost", "::1", "0.0.0.0", "::"} or host.startswith("127."):  # noqa: S104 - compared, not bound
            return (self.listen,)
        return (self.listen, Address("127.0.0.1", self.listen.port))


@frozen(kw_only=True)
class CertificatePair:
    """
    The files of one certificate.

    :param cert: path of the PEM certificate.
    :param key: path of its PEM private key.
    """

    cert: str
    key: str


@frozen(kw_only=True)
class Certificates:
    """
    The leaf certificates: None for each kind without TLS.

    :param server: shown to clients of etcd.
    :param peer: shown to other members.
    :param client: used by e2d itself against etcd.
    :param lifetime: how long a leaf that e2d issues is valid, in seconds.
    :param renew_before: this long before its end a leaf is issued anew, in seconds.
    :param alt_names: names and addresses that leaves carry besides the node's own.
    """

    server: CertificatePair | None
    peer: CertificatePair | None
    client: CertificatePair | None
    lifetime: float
    renew_before: float
    alt_names: tuple[str, ...]


@frozen(kw_only=True)
class Discovery:
    """
    How other nodes are found.

    :param initial_peers: gossip addresses of other nodes.
    :param type: a provider's name, None for none.
    :param interval: seconds between two look-ups.
    :param bootstrap_timeout: seconds after which a node founds without peers that
        nobody reached and nobody knows to be gone.
    :param matches: tags, or whatever else the provider is asked for; sorted by key.
    :param name: the DNS name that ``dns`` looks up.
    :param file: the file of addresses, one a line, that ``file`` reads.
    :param command: the program and arguments that ``exec`` runs.
    """

    initial_peers: tuple[Address, ...]
    type: str | None
    interval: float
    bootstrap_timeout: float
    matches: tuple[tuple[str, str], ...]
    name: str | None
    file: str | None
    command: tuple[str, ...]


@frozen(kw_only=True)
class Gossip:
    """
    The gossip ring.

    :param enabled: whether this node gossips at all: a single node without seeds,
        discovery, a ``gossipAddr`` of its own or originals has nobody to talk to.
    :param keys: keys of 16, 24 or 32 bytes in base64 or hexadecimal, the first one
        seals; () for "the key derived from the CA's", or none.
    :param keys_file: a file of such keys, one a line, instead of `keys`.
    :param label: the ring's label, None for none.
    :param key_grace: seconds for which a replaced key is still accepted.
    :param insecure: TLS without any key for gossip was asked for.
    """

    enabled: bool
    profile: GossipProfile
    keys: tuple[Secret, ...]
    keys_file: str | None
    label: str | None
    key_grace: float
    insecure: bool
    compat: GossipCompatibility | None


@frozen(kw_only=True)
class EtcdAuth:
    """
    Whom e2d logs in to etcd as; exactly one of password and file is given.

    :param password_file: a file whose first line is the password.
    """

    user: str
    password: Secret | None
    password_file: str | None


@frozen(kw_only=True)
class EtcdOptions:
    """
    How the etcd child is run, addresses and certificates aside.

    :param binary: a path or a name on PATH; None for ``etcd`` on PATH.
    :param extra_args: flags without their dashes, and their values; None for a flag
        without one.
    :param env: variables added to its environment; sorted by name.
    :param quota_backend_bytes: None for etcd's own default.
    :param compaction_interval: seconds of history that are kept; 0 for all of it.
    :param log_level: zap's name of a level, lower case.
    :param allow_version: known-bad versions that the operator accepts: ``3.5.2``.
    :param metrics_detail: how much etcd's own metrics tell.
    """

    binary: str | None
    extra_args: tuple[tuple[str, str | None], ...]
    env: tuple[tuple[str, str], ...]
    auth: EtcdAuth | None
    quota_backend_bytes: int | None
    compaction_interval: float
    log_level: str
    allow_version: tuple[str, ...]
    unsafe_no_fsync: bool
    pre_vote: bool
    metrics_detail: MetricsDetail


@frozen(kw_only=True)
class Membership:
    """
    How members come and go.

    :param keep_seat: seconds for which a member keeps its seat after a clean stop.
    :param learners: nodes join as learners and are promoted when caught up.
    :param spares: how many learners are kept warm without being promoted.
    """

    keep_seat: float
    on_eviction: Eviction
    learners: bool
    spares: int


@frozen(kw_only=True)
class Retention:
    """
    Which snapshots are kept; one that any of the three names is.

    :param last: the newest this many.
    :param hourly: the newest of each of this many hours.
    :param daily: the newest of each of this many days.
    """

    last: int
    hourly: int
    daily: int


@frozen(kw_only=True)
class Snapshots:
    """
    Backups.

    :param file: the store's URL; None for no store.
    :param interval: seconds between two snapshots.
    :param limit_rate: bytes per second of an upload; None for no limit.
    :param role_session_name: the STS session name under which S3 is reached.
    :param signing_key: seals manifests instead of the key derived from the CA's.
    :param signing_key_file: a file that holds such a key, instead of `signing_key`.
    """

    file: str | None
    interval: float
    compression: Compression
    encryption: bool
    retention: Retention
    limit_rate: int | None
    role_session_name: str | None
    signing_key: Secret | None
    signing_key_file: str | None


@frozen(kw_only=True)
class Recovery:
    """
    What happens when a cluster is lost.

    :param after: seconds of silence after which the old generation counts as gone;
        None for never.
    :param require_snapshot: never found an empty cluster.
    :param max_age: nothing older than this many seconds is restored without a person;
        None for no limit.
    :param observe: born paused.
    """

    mode: RecoveryMode
    after: float | None
    require_snapshot: bool
    max_age: float | None
    serve: ServeWhen
    observe: bool


@frozen(kw_only=True)
class Api:
    """
    Where e2d itself answers.

    :param addr: HTTP, read only.
    :param socket: path of the control socket; None for the default place.
    """

    addr: Address
    socket: str | None


@frozen(kw_only=True)
class Metrics:
    """
    etcd's own metrics listener.

    :param disable_auth: plain HTTP even with TLS.
    """

    endpoint: Endpoint
    disable_auth: bool


@frozen(kw_only=True)
class Configuration:
    """
    One node's configuration, complete and consistent.

    :param api_version: the version the file was written for; two configurations that
        mean the same are equal whatever it is.
    :param data_dir: as written; relative to the working directory.
    :param cluster_name: ``cluster.name``, else the discovery group, else ``e2d``.
    :param required_cluster_size: odd, 1 to 9; a proposal to a cluster that exists.
    :param ca_cert: path of the CA's certificate; None for no TLS.
    :param ca_key: path of the CA's private key, if this node has it.
    :param evict_after: seconds from a member's death to its removal.
    :param health_check_interval: seconds between two health checks of this node's etcd.
    :param override_name: the member's name, whatever the data directory says.
    :param memberlist_log_level: zap's name of a level, lower case, for gossip's logs.
    """

    api_version: str = field(eq=False)
    data_dir: str
    cluster_name: str
    required_cluster_size: int
    client: Endpoint
    peer: Endpoint
    gossip: Endpoint
    ca_cert: str | None
    ca_key: str | None
    certs: Certificates
    evict_after: float
    health_check_interval: float
    discovery: Discovery
    gossip_ring: Gossip
    etcd: EtcdOptions
    membership: Membership
    snapshot: Snapshots
    recovery: Recovery
    api: Api
    metrics: Metrics | None
    override_name: str | None
    memberlist_log_level: str

    @property
    def tls(self) -> bool:
        """Whether etcd's listeners speak TLS."""
        return self.ca_cert is not None
