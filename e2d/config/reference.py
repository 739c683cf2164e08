"""The reference of all keys for ``docs/configuration.rst``, made from the table."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from e2d.config.flags import OWNED_FLAGS
from e2d.config.keys import ALPHA, BETA, Key
from e2d.config.schema import default_text
from e2d.config.table import KEYS, SECTIONS

__all__ = ["reference"]

_INTRODUCTION = """\
Configuration
=============

.. This file is generated: ``python -m e2d.config.reference > docs/configuration.rst``

e2d reads one YAML file: ``-c FILE``, or ``-c -`` for standard input. Without ``-c`` it
is ``config.yaml`` in the working directory if there is one; without any file a single
node runs on loopback only. ``e2d config check`` names every error of a file at once,
each with its line and column; ``e2d config show`` prints what a file comes to, in the
newest form, secrets as ``***``; ``e2d config schema`` prints a JSON Schema for editors.

.. code-block:: yaml

   apiVersion: e2d.crit.sh/v1beta1
   kind: Configuration
   requiredClusterSize: 3
   discovery:
     initialPeers: ["10.0.2.15:7980", "10.0.2.17:7980"]

Versions
--------

``apiVersion`` is ``e2d.crit.sh/v1beta1``, or ``e2d.crit.sh/v1alpha1`` for files of the
original e2d; without it, a file is v1alpha1. Every key may be used in both. A v1alpha1
file keeps its meaning: where a new default would change what is stored, deleted, or
which members exist, its default is the old one, and ``e2d config show`` spells it out.

Four things differ from the original, each because silence did harm there: an unknown
key is an error and not ignored; so is a key that is given twice; so is ``caKey``
without ``caCert``; and ``caCert`` without ``caKey`` means TLS with leaf certificates
from elsewhere, where the original quietly ran without TLS.

Values
------

*Durations* are written as in Go, and with days: ``1h30m``, ``1.5s``, ``7d``. *Sizes*
are bytes, or have a unit: ``512MiB``, ``2G``. An *endpoint* is ``host:port`` or a
mapping of ``host``, ``port`` and ``advertise``, the host (or ``host:port``) that others
are told; an IPv6 address in ``host:port`` needs brackets. Where ``0.0.0.0`` or ``::``
is to be listened on and nothing is advertised, this host's first address beyond
loopback is used for both, IPv4 before IPv6. A value of ``null`` counts as not given; so
do ``0`` and an empty text for the keys of the original.

Anchors, aliases and merge keys (``<<``) work. A file may have 1 MiB and 10,000 values.
Only its first document that holds something is read.
"""

_FLAGS = """\
Flags of etcd that are refused
------------------------------

``etcd.extraArgs`` takes any other flag of etcd. ``etcd.env`` refuses every variable
that starts with ``ETCD_``, because it would set a flag.

.. list-table::
   :header-rows: 1

   * - flag
     - instead, or why
"""


def reference() -> str:
    """The whole page, reST."""
    parts = [_INTRODUCTION]
    for path, section in SECTIONS.items():
        keys = [key for key in KEYS.values() if key.parent == path]
        if keys:
            parts.append(_section(path, section.about, keys))
    rows = [
        f"   * - ``--{flag}``\n     - {_rst(reason)}\n"
        for flag, reason in OWNED_FLAGS.items()
    ]
    parts.append(_FLAGS + "".join(rows))
    return "\n".join(parts)


def _section(path: str, about: str, keys: list[Key[object]]) -> str:
    title = f"``{path}``" if path else "The node"
    lines = [title, "-" * len(title), ""]
    if path:
        lines += [about, ""]
    for key in keys:
        lines += [*_key(key), ""]
    return "\n".join(lines)


def _key(key: Key[object]) -> Iterator[str]:
    yield f"``{key.path}``"
    yield f"   {_rst(key.about)}"
    yield ""
    yield f"   :value: {_rst(key.kind.words)}"
    yield f"   :default: {_rst(default_text(key, BETA))}"
    old = default_text(key, ALPHA)
    if old != default_text(key, BETA):
        yield f"   :default in v1alpha1: {_rst(old)}"
    if key.kind.unit:
        yield f"   :unit: {key.kind.unit}"
    if key.none_word:
        yield f"   :not given: ``{key.none_word}``"
    if key.alias:
        yield f"   :also: ``{key.parent}.{key.alias}``".replace("``.", "``")
    yield f"   :since: {key.since.rpartition('/')[2]}"


def _rst(text: str) -> str:
    return text.replace("`", "``")


if __name__ == "__main__":
    sys.stdout.write(reference())
