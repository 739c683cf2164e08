"""
The command line and the environment with which etcd is started. Pure.

Note [Merging extra arguments]: ``etcd.extraArgs`` comes last and wins over what e2d
would say, except for the flags that e2d owns: those decide where etcd listens, which
data it opens and which cluster it belongs to, and the configuration refuses them.
Feature gates are one flag with many values, so they are merged gate by gate;
experimental flags that became gates in 3.6 are rewritten as gates there, because etcd
refuses to be given both, and ``extraArgs`` written for 3.5 should survive the upgrade.

Note [No debug level]: from 3.5 on, etcd at level ``debug`` serves profiles of itself,
its memory and the latest requests to whoever reaches the client port (``/debug/pprof``,
``/debug/requests``), as the original did (W-35). There it is run at ``info`` instead;
who wants the profiler asks for it by name, ``etcd.extraArgs: {enable-pprof: true}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from e2d.config.flags import OWNED_FLAGS
from e2d.config.values import Configuration, Endpoint, EtcdOptions, Metrics
from e2d.etcd.versions import corruption_flags, corruption_gates, line_of
from e2d.model import Address, EtcdStart, EtcdVersion

__all__ = [
    "LAUNCH_VARIABLE",
    "EtcdSettings",
    "TLSFiles",
    "address_flags",
    "arguments",
    "environment",
    "inherited_environment",
    "settings_warnings",
]

LAUNCH_VARIABLE = "E2D_LAUNCH"
"""The variable in etcd's environment by which a returning e2d knows its own etcd."""

# Experimental flags of 3.4 and 3.5 that are feature gates from 3.6 on.
_GATE_OF_FLAG = {
    "experimental-compact-hash-check-enabled": "CompactHashCheck",
    "experimental-enable-lease-checkpoint": "LeaseCheckpoint",
    "experimental-enable-lease-checkpoint-persist": "LeaseCheckpointPersist",
    "experimental-initial-corrupt-check": "InitialCorruptCheck",
    "experimental-stop-grpc-service-on-defrag": "StopGRPCServiceOnDefrag",
    "experimental-txn-mode-write-with-shared-buffer": "TxnModeWriteWithSharedBuffer",
}

# What etcd may inherit. Everything else stays with e2d: the store's credentials,
# systemd's sockets, and ETCD_... variables, each of which etcd takes for a flag.
_INHERITED = frozenset(
    {
        "ETCD_UNSUPPORTED_ARCH",
        "GODEBUG",
        "GOGC",
        "GOMAXPROCS",
        "GOMEMLIMIT",
        "GOTRACEBACK",
        "HOME",
        "LANG",
        "LC_ALL",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
    }
)


@frozen(kw_only=True)
class TLSFiles:
    """
    The files of a listener that speaks TLS and asks for certificates in turn.

    :param ca: path of the CA's certificate, PEM.
    :param cert: path of the certificate, PEM.
    :param key: path of its key, PEM.
    """

    ca: str
    cert: str
    key: str


@frozen(kw_only=True)
class EtcdSettings:
    """
    How etcd is run here, whatever it is started for.

    :param binary: a path, or a name to be found on PATH.
    :param data_dir: absolute path of etcd's ``--data-dir``.
    :param client: where clients are served.
    :param peer: where members are served.
    :param client_tls: None for plain HTTP.
    :param peer_tls: None for plain HTTP.
    :param metrics: etcd's own listener for metrics, None for none.
    :param options: the rest, as configured.
    :param cluster_size: ``requiredClusterSize``.
    """

    binary: str
    data_dir: str
    client: Endpoint
    peer: Endpoint
    client_tls: TLSFiles | None
    peer_tls: TLSFiles | None
    metrics: Metrics | None
    options: EtcdOptions
    cluster_size: int

    @classmethod
    def from_configuration(
        cls, configuration: Configuration, data_dir: str
    ) -> EtcdSettings:
        """
        What a configuration says about etcd.

        :param data_dir: its ``dataDir``, made absolute.
        """
        certs, ca = configuration.certs, configuration.ca_cert

        def tls(cert: str | None, key: str | None) -> TLSFiles | None:
            if ca is None or cert is None or key is None:
                return None
            return TLSFiles(ca=ca, cert=cert, key=key)

        server, peer = certs.server, certs.peer
        return cls(
            binary=configuration.etcd.binary or "etcd",
            data_dir=data_dir,
            client=configuration.client,
            peer=configuration.peer,
            client_tls=tls(server.cert, server.key) if server else None,
            peer_tls=tls(peer.cert, peer.key) if peer else None,
            metrics=configuration.metrics,
            options=configuration.etcd,
            cluster_size=configuration.required_cluster_size,
        )

    @property
    def listens(self) -> tuple[Address, ...]:
        """Every address that etcd will listen on, none twice."""
        metrics = self.metrics.endpoint.listen_addresses if self.metrics else ()
        wanted = (*self.client.listen_addresses, self.peer.listen, *metrics)
        return tuple(dict.fromkeys(wanted))


def settings_warnings(settings: EtcdSettings) -> tuple[str, ...]:
    """What an operator should know of these settings, for as long as they hold."""
    warnings = []
    if settings.options.compaction_interval == 0:
        warnings.append(
            "compaction is off: etcd keeps every version of every key until its quota "
            "is used up and writes stop; set compactionInterval: 5m"
        )
    if settings.options.unsafe_no_fsync:
        warnings.append(
            "unsafeNoFsync is on: a power failure loses acknowledged writes"
        )
    if settings.options.log_level == "debug":
        warnings.append(
            "EtcdLogLevel: debug counts as info for etcd 3.5 and later, which at debug "
            "serve their memory to every client"
        )
    return tuple(warnings)


def _url(scheme: str, address: Address) -> str:
    return f"{scheme}://{address}"


def _urls(scheme: str, addresses: Iterable[Address]) -> str:
    return ",".join(_url(scheme, address) for address in dict.fromkeys(addresses))


def _duration(seconds: float) -> str:
    # Always with a unit: a bare number means hours to etcd's periodic compaction.
    if seconds == 0:
        return "0"
    return f"{round(seconds * 1000)}ms" if seconds % 1 else f"{round(seconds)}s"


def address_flags(settings: EtcdSettings) -> dict[str, str]:
    """The flags that say where etcd is."""
    client = "https" if settings.client_tls else "http"
    peer = "https" if settings.peer_tls else "http"
    return {
        "listen-client-urls": _urls(client, settings.client.listen_addresses),
        "advertise-client-urls": _url(client, settings.client.advertise),
        "listen-peer-urls": _url(peer, settings.peer.listen),
        "initial-advertise-peer-urls": _url(peer, settings.peer.advertise),
    }


def _identity_flags(settings: EtcdSettings, start: EtcdStart) -> dict[str, str | None]:
    return {
        "name": start.name,
        "data-dir": settings.data_dir,
        **address_flags(settings),
        "initial-cluster": ",".join(f"{name}={url}" for name, url in start.peers),
        "initial-cluster-state": start.state.value,
        "initial-cluster-token": start.token,
    }


def _tls_flags(prefix: str, files: TLSFiles | None) -> dict[str, str | None]:
    if files is None:
        return {}
    return {
        f"{prefix}cert-file": files.cert,
        f"{prefix}key-file": files.key,
        f"{prefix}trusted-ca-file": files.ca,
        f"{prefix}client-cert-auth": "true",
    }


def _metrics_flags(settings: EtcdSettings) -> dict[str, str | None]:
    flags: dict[str, str | None] = {"metrics": settings.options.metrics_detail.value}
    metrics = settings.metrics
    if metrics is not None:
        secure = settings.client_tls is not None and not metrics.disable_auth
        scheme = "https" if secure else "http"
        flags["listen-metrics-urls"] = _urls(scheme, metrics.endpoint.listen_addresses)
    return flags


def _log_level(options: EtcdOptions, version: EtcdVersion) -> str:
    """See Note [No debug level]."""
    if options.log_level == "debug" and version.line > (3, 4):
        return "info"
    return options.log_level


def _behaviour_flags(
    options: EtcdOptions, version: EtcdVersion
) -> dict[str, str | None]:
    flags: dict[str, str | None] = {
        "strict-reconfig-check": "true",
        "pre-vote": "true" if options.pre_vote else "false",
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": _duration(options.compaction_interval),
        "logger": "zap",
        "log-outputs": "stderr",
        "log-level": _log_level(options, version),
    }
    if options.quota_backend_bytes is not None:
        flags["quota-backend-bytes"] = str(options.quota_backend_bytes)
    if options.unsafe_no_fsync:
        flags["unsafe-no-fsync"] = "true"
    return flags


def _extra_flags(
    options: EtcdOptions, version: EtcdVersion
) -> tuple[dict[str, str | None], dict[str, str]]:
    """The flags of ``extraArgs`` and its feature gates; see Note [Merging ...]."""
    line = line_of(version)
    assert line is not None, version
    flags: dict[str, str | None] = {}
    gates: dict[str, str] = {}
    for flag, value in options.extra_args:
        assert flag not in OWNED_FLAGS, f"{flag} was not refused by the configuration"
        if line.feature_gates and flag == "feature-gates":
            pairs = (each.partition("=") for each in (value or "").split(","))
            gates.update({name.strip(): on for name, _, on in pairs if name.strip()})
        elif line.feature_gates and flag in _GATE_OF_FLAG:
            gates[_GATE_OF_FLAG[flag]] = value or "true"
        else:
            flags[flag] = value
    return flags, gates


def arguments(
    settings: EtcdSettings, start: EtcdStart, version: EtcdVersion
) -> tuple[str, ...]:
    """
    The arguments of etcd, its own name left out.

    :param version: of the binary, of a line that e2d runs.
    """
    extra, extra_gates = _extra_flags(settings.options, version)
    flags = {
        **_identity_flags(settings, start),
        **_tls_flags("", settings.client_tls),
        **_tls_flags("peer-", settings.peer_tls),
        **_metrics_flags(settings),
        **_behaviour_flags(settings.options, version),
        **dict(corruption_flags(version)),
    }
    gates = {**dict(corruption_gates(version)), **extra_gates}
    if gates:
        flags["feature-gates"] = ",".join(f"{gate}={on}" for gate, on in gates.items())
    for flag in extra:  # last, also in order: the tail is what the operator wrote
        flags.pop(flag, None)
    flags.update(extra)
    return tuple(
        f"--{flag}" if value is None else f"--{flag}={value}"
        for flag, value in flags.items()
    )


def inherited_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """
    What of e2d's environment etcd may have.

    :param inherited: e2d's environment.
    """
    return {name: value for name, value in inherited.items() if name in _INHERITED}


def environment(
    inherited: Mapping[str, str], settings: EtcdSettings, launch: str
) -> dict[str, str]:
    """
    The environment of etcd: little of e2d's own, ``etcd.env``, and the launch's id.

    :param inherited: e2d's environment.
    :param launch: the id of this start.
    """
    return {
        **inherited_environment(inherited),
        **dict(settings.options.env),
        LAUNCH_VARIABLE: launch,
    }
