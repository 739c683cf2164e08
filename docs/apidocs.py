"""
Teaches pydoctor that the fields of an attrs class are its constructor's parameters.

It knows ``attr.s``, not yet ``attrs.define`` and ``attrs.frozen``: without this each
``:param:`` of such a class would be a warning, and warnings are errors.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import ClassVar

from pydoctor.extensions import ClassMixin, ExtRegistrar
from pydoctor.model import Attribute, Class
from pydoctor.model import System as PlainSystem

GENERATES_CONSTRUCTOR = {"attrs.define", "attrs.frozen"}


class AttrsClass(ClassMixin, Class):
    """A class whose decorator may write its constructor."""

    @property
    def constructor_params(self) -> Mapping[str, ast.expr | None]:
        """The parameters of the constructor that is written, or else found."""
        if not any(name in GENERATES_CONSTRUCTOR for name, _ in self.decorators):
            return super().constructor_params
        params: dict[str, ast.expr | None] = {}
        for base in reversed(list(self.mro())):
            for name, each in base.contents.items():
                if isinstance(each, Attribute) and each.annotation is not None:
                    # attrs takes the underscores of private fields away.
                    params[name.lstrip("_")] = each.annotation
        return params


class System(PlainSystem):
    """What ``--system-class`` names."""

    custom_extensions: ClassVar[list[str]] = ["docs.apidocs"]


def setup_pydoctor_extension(registrar: ExtRegistrar) -> None:
    """Called by pydoctor for each name in ``custom_extensions``."""
    registrar.register_mixin(AttrsClass)
