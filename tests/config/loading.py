"""What the tests of the configuration load with."""

from __future__ import annotations

from e2d.config import Configuration, ConfigurationError, HostFacts, load

HOST = HostFacts(host_ip="10.0.0.5")
HOSTLESS = HostFacts(host_ip=None)


def loaded(text: str, host: HostFacts = HOST) -> Configuration:
    """The configuration that a text comes to."""
    return load(text, source="test.yaml", host=host).configuration


def warned(text: str, host: HostFacts = HOST) -> list[str]:
    """The warnings of a text that loads."""
    return [str(one) for one in load(text, source="test.yaml", host=host).warnings]


def refused(text: str, host: HostFacts = HOST) -> list[str]:
    """The errors of a text that does not load."""
    try:
        load(text, source="test.yaml", host=host)
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


def beta(text: str) -> str:
    """A text of the newest version."""
    return "apiVersion: e2d.crit.sh/v1beta1\n" + text
