"""etcd's flags and environment as far as they are the operator's."""

from __future__ import annotations

import re

from attrs import frozen

from e2d.config.document import ListNode, MapNode, Node, Scalar
from e2d.config.kinds import Kind, Written, shown
from e2d.config.problems import Findings, Place, quoted

__all__ = ["OWNED_FLAGS", "FlagArguments", "environment_refusal", "flag_refusal"]

_DECIDES = "e2d decides it when it founds or joins a cluster"
_DISCOVERY = "nodes are found by e2d: `discovery`"
_CERTIFICATES = "use `caCert` and `certs`"
_LOG = "e2d reads etcd's log in a form of its own"

OWNED_FLAGS: dict[str, str] = {
    "name": "use `overrideName`",
    "data-dir": "use `dataDir`",
    "wal-dir": "log and data must be on one disk, so that they are swapped together",
    "listen-peer-urls": "use `peerAddr`",
    "initial-advertise-peer-urls": "use `advertise` in `peerAddr`",
    "listen-client-urls": "use `clientAddr`",
    "listen-client-http-urls": "use `clientAddr`",
    "advertise-client-urls": "use `advertise` in `clientAddr`",
    "listen-metrics-urls": "use `metrics.addr`",
    "metrics": "use `metrics.type`",
    "initial-cluster": _DECIDES,
    "initial-cluster-state": _DECIDES,
    "initial-cluster-token": _DECIDES,
    "force-new-cluster": "it loses acknowledged writes",
    "strict-reconfig-check": "it is always on",
    "discovery": _DISCOVERY,
    "discovery-srv": _DISCOVERY,
    "discovery-srv-name": _DISCOVERY,
    "discovery-proxy": _DISCOVERY,
    "discovery-fallback": _DISCOVERY,
    "discovery-token": _DISCOVERY,
    "discovery-endpoints": _DISCOVERY,
    "proxy": "a proxy is not a member",
    "enable-v2": "it is always off",
    "pre-vote": "use `DisablePreVote`",
    "unsafe-no-fsync": "use `unsafeNoFsync`",
    "quota-backend-bytes": "use `etcd.quotaBackendBytes`",
    "auto-compaction-mode": "use `compactionInterval`",
    "auto-compaction-retention": "use `compactionInterval`",
    "max-learners": "use `membership.spares`",
    "experimental-max-learners": "use `membership.spares`",
    "cert-file": _CERTIFICATES,
    "key-file": _CERTIFICATES,
    "trusted-ca-file": _CERTIFICATES,
    "ca-file": _CERTIFICATES,
    "client-cert-auth": "it is always on with TLS",
    "client-cert-file": _CERTIFICATES,
    "client-key-file": _CERTIFICATES,
    "auto-tls": _CERTIFICATES,
    "peer-cert-file": _CERTIFICATES,
    "peer-key-file": _CERTIFICATES,
    "peer-trusted-ca-file": _CERTIFICATES,
    "peer-ca-file": _CERTIFICATES,
    "peer-client-cert-auth": "it is always on with TLS",
    "peer-client-cert-file": _CERTIFICATES,
    "peer-client-key-file": _CERTIFICATES,
    "peer-auto-tls": _CERTIFICATES,
    "logger": _LOG,
    "log-outputs": _LOG,
    "log-format": _LOG,
    "log-package-levels": _LOG,
    "enable-log-rotation": _LOG,
    "log-rotation-config-json": _LOG,
    "log-level": "use `EtcdLogLevel`",
    "debug": "use `EtcdLogLevel`",
    "config-file": "etcd would ignore every other flag",
    "version": "etcd would only print it",
    "help": "etcd would only print it",
    "h": "etcd would only print it",
}
"""Flags that e2d sets or must never see set, and what to use instead."""

_FLAG = re.compile("[a-z][a-z0-9-]{0,99}", re.ASCII)
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_MAXIMUM_FLAGS = 200
_MAXIMUM_VALUE = 4096

_OWNED_VARIABLES = {
    "PATH": "name the program by `etcd.binary`",
    "HOME": "etcd needs none",
    "NOTIFY_SOCKET": "systemd is told by e2d alone",
    "LD_PRELOAD": "run a wrapper as `etcd.binary` if you must",
}


def flag_refusal(name: str) -> str:
    """
    Say why a flag may not be given, and what to use instead.

    :param name: without dashes.
    :return: "" for a flag that is the operator's.
    """
    return OWNED_FLAGS.get(name, "")


def environment_refusal(name: str) -> str:
    """
    Say why a variable may not be given to etcd.

    :return: "" for one that may.
    """
    if name.upper().startswith("ETCD_"):
        flag = name[len("ETCD_") :].lower().replace("_", "-")
        reason = flag_refusal(flag) or f"use `etcd.extraArgs` for `--{flag}`"
        return f"would set one of etcd's flags; {reason}"
    if name in _OWNED_VARIABLES:
        return f"is set by e2d; {_OWNED_VARIABLES[name]}"
    if _VARIABLE.fullmatch(name) is None:
        return "is not a name of a variable"
    return ""


@frozen
class FlagArguments(Kind[tuple[tuple[str, str | None], ...]]):
    """Flags of etcd: a list of ``--flag=value``, or a mapping of flag to value."""

    def read(
        self, node: Node, key: str, findings: Findings
    ) -> tuple[tuple[str, str | None], ...] | None:
        """In the order of the text; each flag once."""
        match node:
            case ListNode(items=items):
                pairs = [self._from_item(item, key, findings) for item in items]
            case MapNode(entries=entries):
                pairs = [
                    self._pair(entry.place, entry.key, entry.node, key, findings)
                    for entry in entries
                ]
            case _:
                self.refuse(node, key, findings)
                return None
        if len(pairs) > _MAXIMUM_FLAGS:
            findings.error(
                node.place, key, f"`{key}` has more than {_MAXIMUM_FLAGS} flags"
            )
        made = tuple(pair for pair in pairs if pair is not None)
        self._refuse_repeated(node.place, key, [name for name, _ in made], findings)
        return made if len(made) == len(pairs) else None

    def _from_item(
        self, item: Node, key: str, findings: Findings
    ) -> tuple[str, str | None] | None:
        if not isinstance(item, Scalar) or not item.text.startswith("-"):
            findings.error(
                item.place,
                key,
                f"`{key}` holds flags, not {shown(item)}",
                "write each as one item, `--flag=value`",
            )
            return None
        name, equals, value = item.text.partition("=")
        node = Scalar(place=item.place, value=value if equals else None, text=value)
        return self._pair(item.place, name, node, key, findings)

    def _pair(
        self, place: Place, written: str, node: Node, key: str, findings: Findings
    ) -> tuple[str, str | None] | None:
        name = re.sub("^--?", "", written)
        if reason := flag_refusal(name):
            findings.error(
                place, key, f"`{key}` may not set `--{name}`, which e2d owns", reason
            )
            return None
        if _FLAG.fullmatch(name) is None:
            findings.error(place, key, f"`{key}`: {quoted(written)} is not a flag")
            return None
        if not isinstance(node, Scalar) or len(node.text) > _MAXIMUM_VALUE:
            findings.error(
                node.place, key, f"`{key}`: the value of `--{name}` must be text"
            )
            return None
        if not all(character.isprintable() for character in node.text):
            findings.error(
                node.place, key, f"`{key}`: the value of `--{name}` must be one line"
            )
            return None
        return name, None if node.value is None else node.text

    def _refuse_repeated(
        self, place: Place, key: str, names: list[str], findings: Findings
    ) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            findings.error(place, key, f"`{key}` gives `--{name}` more than once")

    def write(self, value: object) -> Written:
        """As a list."""
        assert isinstance(value, tuple)
        return [
            f"--{name}" if text is None else f"--{name}={text}" for name, text in value
        ]

    def schema(self) -> dict[str, object]:
        """Either form."""
        values = {"type": ["string", "number", "boolean", "null"]}
        return {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "pattern": "^-"}},
                {"type": "object", "additionalProperties": values},
            ]
        }

    @property
    def words(self) -> str:
        """Both forms."""
        return "a list of `--flag=value`, or a mapping of flags to values"
