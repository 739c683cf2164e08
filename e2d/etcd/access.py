"""How e2d reaches the etcd of its own node, as far as the configuration says."""

from __future__ import annotations

import os

from e2d.config.values import CertificatePair, Configuration
from e2d.etcd.connection import ClientTLS, Login
from e2d.model import Address

__all__ = ["client_tls", "login", "missing_files", "own_address"]


def own_address(configuration: Configuration) -> Address:
    """Where this node's etcd is asked: on loopback where it listens there."""
    listens = configuration.client.listen_addresses
    port = configuration.client.listen.port
    loopback = Address("127.0.0.1", port)
    everywhere = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    if loopback in listens or listens[0].host in everywhere:
        return loopback
    return listens[0]


def client_tls(configuration: Configuration) -> ClientTLS | None:
    """The client's certificate, else the peer's, which the original used (5)."""
    if configuration.ca_cert is None:
        return None
    certs = configuration.certs
    pairs = [pair for pair in (certs.client, certs.peer) if pair is not None]
    pair = next((each for each in pairs if _is_there(each)), None)
    return ClientTLS(
        ca=configuration.ca_cert,
        cert=None if pair is None else pair.cert,
        key=None if pair is None else pair.key,
    )


def missing_files(configuration: Configuration) -> tuple[str, ...]:
    """The files that etcd or e2d will not find, a line each with their keys."""
    certs = configuration.certs
    wanted = {"caCert": configuration.ca_cert}
    for key, pair in (("certs.server", certs.server), ("certs.peer", certs.peer)):
        if pair is not None:
            wanted |= {f"{key}.cert": pair.cert, f"{key}.key": pair.key}
    missing = tuple(
        f"{key}: {path} does not exist, and etcd cannot start without it; this version"
        " issues no certificates: put it there"
        for key, path in wanted.items()
        if path is not None and not os.path.exists(path)
    )
    return (*missing, *_unreadable_password(configuration))


def _unreadable_password(configuration: Configuration) -> tuple[str, ...]:
    auth = configuration.etcd.auth
    path = None if auth is None else auth.password_file
    if path is None or os.access(path, os.R_OK):
        return ()
    return (
        f"etcd.auth.passwordFile: {path} could not be read when e2d started, and"
        " without it e2d cannot ask etcd anything",
    )


def _is_there(pair: CertificatePair) -> bool:
    return os.path.exists(pair.cert) and os.path.exists(pair.key)


def login(configuration: Configuration) -> Login | None:
    """Whom e2d logs in to etcd as, None without etcd's own users (B15)."""
    auth = configuration.etcd.auth
    if auth is None:
        return None
    return Login(auth.user, auth.password_file, auth.password)
