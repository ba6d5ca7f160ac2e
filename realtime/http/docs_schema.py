"""JSON Schema and JSON as HTML, for the reference page."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

import orjson

from realtime.http.examples import Schema, resolve, without_null

Definitions = Mapping[str, Schema]

_CODE: Final = re.compile(r"`([^`]+)`")
_TOKEN: Final = re.compile(r"(&quot;(?:[^&\\]|\\.|&(?!quot;))*?&quot;)(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?)")
_BOUNDS: Final = (
    ("minLength", "maxLength", "characters"),
    ("minimum", "maximum", ""),
    ("minItems", "maxItems", "items"),
)
_SAFE_INTEGER: Final = 2**53 - 1


def prose(text: str) -> str:
    """Return text as HTML, with what is in backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def json_block(value: Any) -> str:
    """Return a value as indented, coloured JSON."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return _TOKEN.sub(_colour, escape(text))


def type_of(schema: Schema) -> str:
    """Return the type of a value as HTML; objects are links to their section."""
    schema = without_null(schema)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#object-{name}">{name}</a>'
    if "const" in schema:
        return _literals([schema["const"]])
    if "enum" in schema:
        return _literals(schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {type_of(schema['items'])}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"map to {type_of(schema['additionalProperties'])}"
        case "string" if schema.get("format") == "date-time":
            return "instant"
        case kind:
            return escape(str(kind or "any"))


def notes(schema: Schema) -> str:
    """Return bounds, default and description of a value as HTML."""
    plain = without_null(schema)
    parts = [*_bounds(plain)]
    if schema.get("default") not in (None, "", []):
        parts.append(f"default <code>{escape(orjson.dumps(schema['default']).decode(), quote=False)}</code>")
    described = prose(str(schema.get("description", "")))
    return " ".join(filter(None, [described, f'<span class="bounds">{", ".join(parts)}</span>' if parts else ""]))


def table(schema: Schema, definitions: Definitions) -> str:
    """Return the properties of an object as a table; a union as one table for each of its kinds."""
    schema = resolve(schema, definitions)
    if options := schema.get("oneOf"):
        return "".join(f"<h5>{_kind(one, definitions)}</h5>{table(one, definitions)}" for one in options)
    properties = schema.get("properties")
    if properties is None:
        return f'<p class="plain">{type_of(schema)} {notes(schema)}</p>' if schema else ""
    required = schema.get("required", ())
    rows = (row(name, value, required=name in required) for name, value in properties.items())
    return f"<table><tbody>{''.join(rows)}</tbody></table>" if properties else '<p class="plain">An empty object.</p>'


def row(name: str, schema: Schema, *, required: bool) -> str:
    """Return one property or parameter as a row."""
    optional = "" if required else ' <span class="optional">optional</span>'
    return (
        f'<tr><th scope="row"><code>{escape(name)}</code>{optional}</th>'
        f'<td><span class="type">{type_of(schema)}</span> {notes(schema)}</td></tr>'
    )


def references(schema: Any) -> Iterator[str]:
    """Yield the names of all objects that a schema names, directly or within."""
    if isinstance(schema, Mapping):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def _kind(schema: Schema, definitions: Definitions) -> str:
    kind = resolve(schema, definitions).get("properties", {}).get("kind", {})
    return f"<code>kind</code> is {type_of(kind)}"


def _literals(values: list[Any]) -> str:
    return " · ".join(f"<code>{escape(str(value))}</code>" for value in values)


def _bounds(schema: Schema) -> Iterator[str]:
    for low_key, high_key, unit in _BOUNDS:
        low, high = schema.get(low_key), schema.get(high_key)
        if high is not None and high != _SAFE_INTEGER:
            yield f"{low or 0} – {high:,} {unit}".strip() if low else f"at most {high:,} {unit}".strip()


def _colour(match: re.Match[str]) -> str:
    text, colon, word, number = match.groups()
    if text is not None:
        return f"<i class=k>{text}</i>{colon}" if colon else f"<i class=s>{text}</i>"
    return f"<i class=n>{word or number}</i>"
