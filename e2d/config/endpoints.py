"""
Addresses as they are written: ``host:port``, or a mapping with what to advertise.

Note [Go's addresses]
    The original reads an endpoint with Go's rules, and old files rely on them: an
    IPv6 literal needs brackets, a text without a colon has no port and is an error,
    a port that is no number counts as 0, and 0 or an empty host take the default.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from attrs import frozen

from e2d.config.document import Entry, MapNode, Node, Scalar
from e2d.config.kinds import Kind, Written, shown
from e2d.config.problems import Findings, Place, quoted, suggestion_for
from e2d.config.values import Endpoint
from e2d.model import Address

__all__ = [
    "EndpointKind",
    "PeerAddress",
    "WrittenEndpoint",
    "is_ip",
    "is_loopback",
    "is_unspecified",
    "read_peer",
    "split_host_port",
]

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?", re.ASCII)
_MAXIMUM_PORT = 65535


@frozen(kw_only=True)
class WrittenEndpoint:
    """
    An endpoint before unspecified addresses are replaced by the host's.

    :param host: an IP literal or ``localhost``.
    :param advertise: host and port for others; port 0 for the port listened on.
    :param place: where it is written; None for a default.
    """

    host: str
    port: int
    advertise: Address | None = None
    place: Place | None = None


def split_host_port(text: str) -> tuple[str, str]:
    """
    Go's ``net.SplitHostPort``.

    :return: host, without brackets, and port; either may be empty.
    :raises ValueError: with what is wrong, in words.
    """
    host, colon, port = text.rpartition(":")
    if not colon or host.endswith("]:") or port.endswith("]"):
        raise ValueError("has no port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("has too many colons: an IPv6 address needs brackets")
    if "[" in host or "]" in host or "[" in port or "]" in port:
        raise ValueError("has brackets in the wrong place")
    return host, port


def is_ip(host: str) -> bool:
    """Whether a host is an IP literal, without a zone."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_unspecified(host: str) -> bool:
    """Whether a host stands for every address of a machine."""
    return is_ip(host) and ip_address(host).is_unspecified


def is_loopback(host: str) -> bool:
    """Whether a host is reached from its own machine only."""
    return host == "localhost" or (is_ip(host) and ip_address(host).is_loopback)


def _port_of(text: str) -> int:
    """A port that is no number counts as 0."""
    return int(text) if re.fullmatch(r"[-+]?[0-9]{1,18}", text, re.ASCII) else 0


def read_peer(text: str, port: int) -> Address:
    """
    Where another node gossips, as a line of a list says it.

    :param text: an address or a name, with or without a port, perhaps as a URL.
    :param port: taken where there is none, or 0.
    :raises ValueError: with what is wrong, in words.
    """
    bare = _without_scheme(text)
    if is_ip(bare) or _NAME.fullmatch(bare):
        return Address(bare, port)
    address = _peer(*split_host_port(bare), port)
    if address is None:
        raise ValueError("is no address")
    return address


def _without_scheme(text: str) -> str:
    return text.removeprefix("http://").removeprefix("https://")


def _peer(host: str, port_text: str, default_port: int) -> Address | None:
    """An empty host is this host."""
    known = host == "" or is_ip(host) or _NAME.fullmatch(host) is not None
    digits = re.fullmatch("[0-9]{1,5}", port_text, re.ASCII)
    if not known or digits is None or int(port_text) > _MAXIMUM_PORT:
        return None
    return Address(host or "127.0.0.1", int(port_text) or default_port)


@frozen(kw_only=True)
class EndpointKind(Kind[WrittenEndpoint]):
    """
    What listens, and optionally what others are told.

    :param host: taken where none is given.
    :param port: taken where none is given.
    :param advertises: whether ``advertise`` means anything here.
    :param names: whether what is advertised may be a DNS name.
    """

    host: str
    port: int
    advertises: bool = True
    names: bool = True

    def read(self, node: Node, key: str, findings: Findings) -> WrittenEndpoint | None:
        """Either form."""
        if isinstance(node, MapNode):
            return self._from_mapping(node, key, findings)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self._from_text(node, key, findings)
        self.refuse(node, key, findings)
        return None

    def _from_text(
        self, node: Scalar, key: str, findings: Findings
    ) -> WrittenEndpoint | None:
        try:
            host, port_text = split_host_port(node.text)
        except ValueError as error:
            findings.error(
                node.place,
                key,
                f"`{key}`: {quoted(node.text)} {error}",
                f"write it as {self._example(node.text)}",
            )
            return None
        port = _port_of(port_text)
        if port == 0 and port_text not in {"", "0"}:
            findings.warn(
                node.place,
                key,
                f"`{key}`: the port {quoted(port_text)} is not a number, "
                f"so {self.port} is used",
            )
        return self._checked(node, key, host, port, None, findings)

    def _example(self, text: str) -> str:
        if is_ip(text):
            return f"`{Address(text, self.port)}`"
        return f"`10.0.0.1:{self.port}` or `[2001:db8::1]:{self.port}`"

    def _from_mapping(
        self, node: MapNode, key: str, findings: Findings
    ) -> WrittenEndpoint | None:
        host, port, advertise = "", 0, None
        for entry in node.entries:
            path = f"{key}.{entry.key}"
            match entry.key, entry.node:
                case _, Scalar(value=None):
                    continue
                case "host", Scalar(value=str(text)):
                    host = text
                case "port", Scalar(value=int(number)) if not isinstance(number, bool):
                    port = number
                case "advertise", Scalar(value=str(text)) if self.advertises:
                    advertise = self._advertised(entry.node, path, text, findings)
                case _:
                    self._refuse_entry(entry, path, findings)
                    return None
        return self._checked(node, key, host, port, advertise, findings)

    def _refuse_entry(self, entry: Entry, path: str, findings: Findings) -> None:
        known = ["host", "port"] + ["advertise"] * self.advertises
        if entry.key not in known:
            hint = suggestion_for(entry.key, known)
            findings.error(
                entry.place,
                path,
                f"unknown key {quoted(path)}",
                hint or "known are " + " and ".join(f"`{name}`" for name in known),
            )
            return
        kind = "a number" if entry.key == "port" else "text"
        findings.error(
            entry.node.place, path, f"`{path}` must be {kind}, not {shown(entry.node)}"
        )

    def _advertised(
        self, node: Node, path: str, text: str, findings: Findings
    ) -> Address | None:
        host, port = text, 0
        if ":" in text and not is_ip(text):
            try:
                host, port_text = split_host_port(text)
                port = int(port_text) if port_text.isascii() else 0
            except ValueError:
                host = ""
        fits = is_ip(host) or (self.names and _NAME.fullmatch(host) is not None)
        if not fits or is_unspecified(host) or not 0 <= port <= _MAXIMUM_PORT:
            kind = "a name or an address" if self.names else "an IP address"
            findings.error(
                node.place,
                path,
                f"`{path}` must be {kind} at which others reach this node, "
                f"not {quoted(text)}",
            )
            return None
        return Address(host, port)

    def _checked(
        self,
        node: Node,
        key: str,
        host: str,
        port: int,
        advertise: Address | None,
        findings: Findings,
    ) -> WrittenEndpoint | None:
        if host not in {"", "localhost"} and not is_ip(host):
            findings.error(
                node.place,
                key,
                f"`{key}` must listen on an IP address or `localhost`, "
                f"not {quoted(host)}",
                "give the name as `advertise`" if self.advertises else "",
            )
            return None
        if not 0 <= port <= _MAXIMUM_PORT:
            findings.error(
                node.place, key, f"`{key}`: the port {port} is not between 1 and 65535"
            )
            return None
        return WrittenEndpoint(
            host=host or self.host,
            port=port or self.port,
            advertise=advertise,
            place=node.place,
        )

    def write(self, value: object) -> Written:
        """``host:port`` as long as that says it all."""
        if isinstance(value, Endpoint):
            if value.advertise == value.listen:
                return str(value.listen)
            host = value.advertise.host
            same = value.advertise.port == value.listen.port
            return {
                "host": value.listen.host,
                "port": value.listen.port,
                "advertise": host if same else str(value.advertise),
            }
        if isinstance(value, WrittenEndpoint):
            value = Address(value.host, value.port)
        return str(value)

    def schema(self) -> dict[str, object]:
        """A string with a colon, or an object."""
        properties: dict[str, object] = {
            "host": {"type": ["string", "null"]},
            "port": {"type": ["integer", "null"], "minimum": 0, "maximum": 65535},
        }
        if self.advertises:
            properties["advertise"] = {"type": ["string", "null"]}
        return {
            "anyOf": [
                {"type": "string", "pattern": ":[^\\]]*$"},
                {
                    "type": "object",
                    "properties": properties,
                    "additionalProperties": False,
                },
            ]
        }

    @property
    def words(self) -> str:
        """Both forms."""
        keys = "host, port, advertise" if self.advertises else "host, port"
        return f"`host:port` or a mapping of {{{keys}}}"


@frozen(kw_only=True)
class PeerAddress(Kind[Address]):
    """
    Where another node gossips, perhaps written as a URL.

    :param port: taken where the port is 0.
    """

    port: int

    def read(self, node: Node, key: str, findings: Findings) -> Address | None:
        """A port must be given."""
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            self.refuse(node, key, findings)
            return None
        bare = _without_scheme(text)
        try:
            host, port_text = split_host_port(bare)
        except ValueError as error:
            example = f"write it as `{Address(bare, self.port)}`"
            findings.error(
                node.place,
                key,
                f"`{key}`: {quoted(text)} {error}",
                example if is_ip(bare) or _NAME.fullmatch(bare) else "",
            )
            return None
        address = _peer(host, port_text, self.port)
        if address is None:
            self.refuse(node, key, findings)
        return address

    def write(self, value: object) -> Written:
        """``host:port``."""
        return str(value)

    def schema(self) -> dict[str, object]:
        """A string that ends with a port."""
        return {"type": "string", "pattern": ":[0-9]{1,5}$"}

    @property
    def words(self) -> str:
        """With an example."""
        return f"an address such as `10.0.0.2:{self.port}`"
