"""The JSON Schema of configurations, made from the table of keys."""

from __future__ import annotations

from e2d.config.keys import ALPHA, BETA, KIND, Key
from e2d.config.kinds import Written
from e2d.config.secret import Secret
from e2d.config.table import ALIASES, KEYS, SECTIONS

__all__ = ["default_text", "schema", "written_default"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, object]:
    """
    Describe the files of both versions, draft 2020-12.

    It says what one value may be; what holds between values only loading tells. Each
    key carries ``x-unit``, ``x-since`` and, where it differs, ``x-default-v1alpha1``.
    """
    head: dict[str, object] = {
        "apiVersion": {"enum": [ALPHA, BETA, "", None], "default": ALPHA},
        "kind": {"enum": [KIND, "", None], "default": KIND},
    }
    made = _section("", head)
    return {"$schema": _DIALECT, "title": "Configuration of e2d", **made}


def _section(path: str, head: dict[str, object]) -> dict[str, object]:
    properties: dict[str, object] = dict(head)
    for key in KEYS.values():
        if key.parent == path:
            properties[key.name] = _key(key)
    for alias, key in ALIASES.items():
        if key.parent == path:
            name = alias.rpartition(".")[2]
            older = {"deprecated": True, "description": f"Older name of `{key.name}`."}
            properties[name] = {**_key(key), **older}
    for inner, section in SECTIONS.items():
        if inner and inner.rpartition(".")[0] == path:
            nested = _section(inner, {})
            nested["type"] = ["object", "null"]
            nested["description"] = section.about
            properties[inner.rpartition(".")[2]] = nested
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _key(key: Key[object]) -> dict[str, object]:
    choices: list[dict[str, object]] = [key.kind.schema(), {"type": "null"}]
    if key.none_word:
        choices.append({"const": key.none_word})
    if key.zero_is_default:
        choices.append({"enum": ["", 0]})
    made: dict[str, object] = {"description": key.about, "anyOf": choices}
    default, old = written_default(key, BETA), written_default(key, ALPHA)
    if default is not None:
        made["default"] = default
    if old != default:
        made["x-default-v1alpha1"] = old if old is not None else key.old_words
    if key.kind.unit:
        made["x-unit"] = key.kind.unit
    made["x-since"] = key.since.rpartition("/")[2]
    return made


def written_default(key: Key[object], version: str) -> Written | None:
    """
    The default as a file would give it.

    :return: None where there is none, or where words say it better.
    """
    value = key.default_for(version)
    if value is None:
        return key.none_word or None
    if value == ():
        return None
    return key.kind.write(value)


def default_text(key: Key[object], version: str) -> str:
    """The default for people: a value in back quotes, or words."""
    value = written_default(key, version)
    differs = key.default_for(version) != key.default_for(BETA)
    words = key.old_words if differs else key.default_words
    if words:
        return words
    if value is None:
        return "none"
    assert not isinstance(value, Secret)
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{shown}`"
