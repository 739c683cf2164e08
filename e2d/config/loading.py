"""From text to a configuration, with every error at once."""

from __future__ import annotations

from attrs import evolve, frozen

from e2d.config.building import build
from e2d.config.checks import check
from e2d.config.document import parse
from e2d.config.keys import BETA, KIND
from e2d.config.problems import Findings, Problem
from e2d.config.settings import read_settings
from e2d.config.values import Configuration, Endpoint, HostFacts
from e2d.model import Address

__all__ = ["Loaded", "default", "load"]

_WITHOUT_FILE = f"""\
apiVersion: {BETA}
kind: {KIND}
clientAddr: 127.0.0.1:2379
peerAddr: 127.0.0.1:2380
"""


@frozen(kw_only=True)
class Loaded:
    """
    A configuration, and what its author should know.

    :param source: where it is from, in words.
    :param warnings: in the order of the text.
    """

    configuration: Configuration
    warnings: tuple[Problem, ...]
    source: str


def load(text: str, *, source: str, host: HostFacts) -> Loaded:
    """
    Read a configuration.

    :param text: YAML, or JSON, which is YAML.
    :param source: what messages call the text: a file's name.
    :param host: what its meaning depends on besides.
    :raises ConfigurationError: with every problem of the text.
    """
    findings = Findings(source)
    root = parse(text, findings)
    if root is None:
        findings.raise_if_any()
        raise AssertionError("a text without a root was not reported")
    settings = read_settings(root, findings)
    configuration = build(settings, host, findings)
    check(settings, configuration, findings)
    findings.raise_if_any()
    return Loaded(
        configuration=configuration, warnings=findings.warnings(), source=source
    )


def default(host: HostFacts) -> Loaded:
    """
    The configuration of a run without a file: one node, on loopback only.

    The newest version's defaults hold: there is no old file whose meaning to keep.
    """
    loaded = load(_WITHOUT_FILE, source="defaults", host=host)
    address = Address("127.0.0.1", loaded.configuration.gossip.listen.port)
    gossip = Endpoint(listen=address, advertise=address)
    return evolve(loaded, configuration=evolve(loaded.configuration, gossip=gossip))
