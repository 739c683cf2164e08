"""
Teaches pydoctor that the fields of an attrs class are its constructor's parameters.

It knows ``attr.s``, not yet ``attrs.define`` and ``attrs.frozen``: without this each
``:param:`` of such a class would be a warning, and warnings are errors.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import ClassVar

from pydoctor.extensions import ClassMixin, ExtRegistrar, ModuleVisitorExt
from pydoctor.model import Class
from pydoctor.model import System as PlainSystem
from pydoctor.options import Options
from pydoctor.sphinx import SphinxInventory

GENERATES_CONSTRUCTOR = {"attrs.define", "attrs.frozen"}


class AttrsClass(ClassMixin, Class):
    """A class whose decorator may write its constructor."""

    def setup(self) -> None:
        """Called by pydoctor instead of a constructor."""
        super().setup()
        self.fields: dict[str, ast.expr] = {}

    @property
    def constructor_params(self) -> Mapping[str, ast.expr | None]:
        """The parameters of the constructor that is written, or else found."""
        if not any(name in GENERATES_CONSTRUCTOR for name, _ in self.decorators):
            return super().constructor_params
        params: dict[str, ast.expr | None] = {}
        for base in reversed(list(self.mro())):
            # attrs takes the underscores of private fields away.
            params |= {name.lstrip("_"): each for name, each in base.fields.items()}
        return params


class FieldVisitor(ModuleVisitorExt):
    """
    Notes the fields of each class.

    From the source and not from the class's contents: pydoctor takes a field with a
    constant for its default for another name of that constant.
    """

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Called for ``name: annotation``, with or without a default."""
        current = self.visitor.builder.current
        if isinstance(current, AttrsClass) and isinstance(node.target, ast.Name):
            current.fields[node.target.id] = node.annotation


class TwistedNames(SphinxInventory):
    """Where Twisted's own documentation is, known without asking the network."""

    def getLink(self, name: str) -> str | None:
        """The page of a module or class of Twisted; None for anything else."""
        if not name.startswith("twisted."):
            return None
        return f"https://docs.twisted.org/en/stable/api/{name}.html"


class System(PlainSystem):
    """What ``--system-class`` names."""

    custom_extensions: ClassVar[list[str]] = ["docs.apidocs"]

    def __init__(self, options: Options | None = None) -> None:
        super().__init__(options)
        self.intersphinx = TwistedNames(logger=self.msg)


def setup_pydoctor_extension(registrar: ExtRegistrar) -> None:
    """Called by pydoctor for each name in ``custom_extensions``."""
    registrar.register_mixin(AttrsClass)
    registrar.register_astbuilder_visitor(FieldVisitor)
