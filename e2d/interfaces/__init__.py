"""
What the layers ask of each other: behaviour, errors, idempotence.

Implementations add only what is theirs. Errors that cross an interface are defined
here. Every coroutine either returns or raises one of the named errors within a bounded
time; none of them blocks the reactor.
"""

from __future__ import annotations

from e2d.interfaces.daemon import IDaemonControl, IDaemonView
from e2d.interfaces.data_directory import DataDirectoryError, IEtcdDataDirectory
from e2d.interfaces.etcd_client import IByteSource, IEtcdClient, IWatch
from e2d.interfaces.etcd_errors import (
    EtcdDenied,
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
)
from e2d.interfaces.etcd_server import IEtcdServer
from e2d.interfaces.etcd_values import (
    Compare,
    CompareResult,
    CompareTarget,
    Delete,
    Event,
    KeyValue,
    Page,
    Put,
    TxnResult,
)
from e2d.interfaces.membership import (
    DiscoveryFailed,
    IDiscovery,
    IMembership,
    Undelivered,
)
from e2d.interfaces.reactor import IDaemonReactor
from e2d.interfaces.ring_keys import IRingKeys, KeyChangeRefused

__all__ = [
    "Compare",
    "CompareResult",
    "CompareTarget",
    "DataDirectoryError",
    "Delete",
    "DiscoveryFailed",
    "EtcdDenied",
    "EtcdError",
    "EtcdRefused",
    "EtcdUnavailable",
    "Event",
    "IByteSource",
    "IDaemonControl",
    "IDaemonReactor",
    "IDaemonView",
    "IDiscovery",
    "IEtcdClient",
    "IEtcdDataDirectory",
    "IEtcdServer",
    "IMembership",
    "IRingKeys",
    "IWatch",
    "KeyChangeRefused",
    "KeyValue",
    "Page",
    "Put",
    "TxnResult",
    "Undelivered",
]
