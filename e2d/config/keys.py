"""
What a key is: one declaration drives parsing, writing, the schema and the reference.

Note [Two sets of defaults]
    A file without ``apiVersion``, or with ``v1alpha1``, was written for the original
    and keeps its meaning. So where a new default would change what is stored, deleted
    or which members exist, ``v1alpha1`` has a default of its own (``old``), and
    converting a file spells it out. Where the original had no choice because of a
    defect, both versions have the repaired behaviour.
"""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

from attrs import frozen

from e2d.config.kinds import Kind

__all__ = ["ALPHA", "API_GROUP", "BETA", "KIND", "Key", "Same", "Section"]

T_co = TypeVar("T_co", covariant=True)

API_GROUP = "e2d.crit.sh"
ALPHA = f"{API_GROUP}/v1alpha1"
"""The original's version."""

BETA = f"{API_GROUP}/v1beta1"
"""The newest version."""

KIND = "Configuration"


class Same(Enum):
    """Says that both versions have one default."""

    AS_BETA = "as in v1beta1"


@frozen(kw_only=True)
class Section:
    """
    A mapping that holds keys.

    :param path: dotted.
    :param about: one sentence.
    """

    path: str
    about: str


@frozen(kw_only=True)
class Key(Generic[T_co]):
    """
    One key with a value.

    :param path: dotted: ``discovery.initialPeers``.
    :param kind: reads, writes and describes values.
    :param default: in ``v1beta1``.
    :param old: the default in ``v1alpha1``.
    :param default_words: the default in words, where a value does not say it.
    :param old_words: the same for ``old``.
    :param old_kind: reads values in ``v1alpha1`` files, where that differs.
    :param about: what it does, in one or two sentences.
    :param since: the version that knows it first.
    :param alias: an older name of its last part, that means the same.
    :param none_word: a word that stands for "not given".
    :param zero_is_default: 0 and "" count as "not given", as in the original, whose
        language can't tell them apart.
    """

    path: str
    kind: Kind[T_co]
    default: T_co
    about: str
    since: str = BETA
    old: T_co | Same = Same.AS_BETA
    default_words: str = ""
    old_words: str = ""
    old_kind: Kind[T_co] | None = None
    alias: str = ""
    none_word: str = ""
    zero_is_default: bool = False

    def default_for(self, version: str) -> T_co:
        """The default in one version."""
        if version == ALPHA and not isinstance(self.old, Same):
            return self.old
        return self.default

    def kind_for(self, version: str) -> Kind[T_co]:
        """The kind in one version."""
        return self.old_kind or self.kind if version == ALPHA else self.kind

    @property
    def parent(self) -> str:
        """The path of its section, "" at the top."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]
