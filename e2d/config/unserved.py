"""Settings that are understood, carried, and not served by this version yet."""

from __future__ import annotations

from e2d.config.values import Configuration

__all__ = ["SERVED_DISCOVERY", "unserved"]

SERVED_DISCOVERY = ("file",)
"""The providers that are asked."""


def unserved(configuration: Configuration) -> tuple[str, ...]:
    """
    What an operator may believe to be done and is not, a line each.

    Each of these keys is checked already, so that a file need not change when the
    version comes that serves it.
    """
    discovery = configuration.discovery
    warnings = []
    if configuration.snapshot.file is not None:
        warnings.append(
            "snapshot.file is set and this version takes no snapshots: back etcd up by"
            " other means (etcdctl snapshot save)"
        )
    if discovery.type not in {None, *SERVED_DISCOVERY}:
        warnings.append(
            f"discovery.type {discovery.type} is set and this version finds no peers by"
            " it: name them in discovery.initialPeers"
        )
    if discovery.initial_peers or discovery.type in SERVED_DISCOVERY:
        warnings.append(
            "discovery is set: this version gossips with the others and forms no"
            " cluster with them: it runs this node's etcd only"
        )
    return tuple(warnings)
