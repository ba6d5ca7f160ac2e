"""The reference as one page, rendered from OpenAPI and AsyncAPI: `/docs`."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

import orjson

from core.errors import ERRORS
from realtime.config import Limits
from realtime.contract.asyncapi import asyncapi
from realtime.contract.registry import CLIENT_EVENTS
from realtime.http import problems
from realtime.http.docs_schema import Definitions, json_block, prose, references, row, table
from realtime.http.examples import example
from realtime.http.headers import page_policy
from realtime.http.openapi import openapi
from realtime.http.route import Documents, Route

_HERE: Final = Path(__file__).parent

Document = dict[str, Any]


def documents(routes: Sequence[Route], limits: Limits, version: str) -> Documents:
    """Return the OpenAPI and AsyncAPI documents, and the page of both."""
    http, live = openapi(routes, version), asyncapi(version)
    style, script = (_HERE / "docs.css").read_text(), (_HERE / "docs.js").read_text()
    page = Template((_HERE / "docs.html").read_text()).substitute(
        version=escape(version),
        style=style,
        script=script,
        menu=_menu(http, live),
        http=_http(http),
        client_events=_events(live, client=True),
        server_events=_events(live, client=False),
        objects=_objects(http, live),
        errors=_errors(),
        limits=_limits(limits),
    )
    policy = page_policy(script_hash=_hash(script), style_hash=_hash(style))
    return Documents(orjson.dumps(http), orjson.dumps(live), page.encode(), policy)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _operations(http: Document) -> Iterable[tuple[str, str, Document]]:
    for path, methods in http["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _is_client(name: str) -> bool:
    return name in CLIENT_EVENTS


# ── the sidebar ──────────────────────────────────────────────────────────────────────────────────


def _menu(http: Document, live: Document) -> str:
    groups = [_menu_group(tag["name"].capitalize(), _menu_operations(http, tag["name"])) for tag in http["tags"]]
    messages = live["components"]["messages"].values()
    for title, client in (("Client events", True), ("Server events", False)):
        names = [message["name"] for message in messages if _is_client(message["name"]) is client]
        groups.append(_menu_group(title, [_link(f"event-{name}", f"<code>{name}</code>") for name in names]))
    groups.append(_menu_group("Objects", [_link(f"object-{name}", name) for name in _object_names(http, live)]))
    return "".join(groups)


def _menu_operations(http: Document, tag: str) -> list[str]:
    return [
        _link(operation["operationId"], f"{_verb(method)}<code>{escape(_short(path))}</code>")
        for method, path, operation in _operations(http)
        if tag in operation["tags"]
    ]


def _menu_group(title: str, links: list[str]) -> str:
    return f"<section><h2>{title}</h2><ul>{''.join(f'<li>{link}</li>' for link in links)}</ul></section>"


def _link(anchor: str, label: str) -> str:
    return f'<a href="#{anchor}">{label}</a>'


def _short(path: str) -> str:
    return path.removeprefix("/v1").replace("/rooms/{room_id}/", "…/")


def _verb(method: str) -> str:
    return f'<span class="verb {method.lower()}">{method}</span>'


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────


def _http(http: Document) -> str:
    out = []
    for tag in http["tags"]:
        out.append(
            f'<h2 id="{tag["name"]}">{tag["name"].capitalize()}</h2><p class="lead">{prose(tag["description"])}</p>'
        )
        out += [_operation(http, *one) for one in _operations(http) if tag["name"] in one[2]["tags"]]
    return "".join(out)


def _operation(http: Document, method: str, path: str, operation: Document) -> str:
    definitions: Definitions = http["components"]["schemas"]
    who = {0: "Anyone may call it.", 2: "A token is needed for some of it."}.get(len(operation["security"]), "")
    summary = " ".join(filter(None, [operation["summary"], operation.get("description", ""), who]))
    status, success = next(iter(operation["responses"].items()))
    facts = [_parameters(operation), _part("Body", _json_of(operation.get("requestBody", {})), definitions)]
    facts += [_part(f"Answer {status}", _json_of(success), definitions), _codes(operation)]
    samples = [_sample("Request", _curl(method, path, operation)), _sample(f"Answer {status}", _answer(success))]
    title = f"{_verb(method)} <code>{escape(path)}</code>"
    return _article(operation["operationId"], title, summary, facts, samples)


def _parameters(operation: Document) -> str:
    rows = [
        row(
            one["name"],
            {**one["schema"], "description": one.get("description", "")},
            required=one.get("required", False),
        )
        for one in operation["parameters"]
    ]
    return f"<h4>Parameters</h4><table><tbody>{''.join(rows)}</tbody></table>" if rows else ""


def _json_of(message: Document) -> Document:
    content: Document = message.get("content", {}).get("application/json", {})
    return content


def _part(title: str, content: Document, definitions: Definitions) -> str:
    schema = content.get("schema", {})
    return f"<h4>{title}</h4>{table(schema, definitions)}" if schema.get("$ref") or schema.get("oneOf") else ""


def _codes(operation: Document) -> str:
    codes = [
        code
        for answer in operation["responses"].values()
        for code in answer.get("content", {}).get(problems.MEDIA, {}).get("examples", {})
    ]
    links = " ".join(f'<a class="code" href="#error-{code}">{code}</a>' for code in codes)
    return f'<h4>Errors</h4><p class="codes">{links}</p>'


def _curl(method: str, path: str, operation: Document) -> str:
    lines = ["curl" if method == "GET" else f"curl -X {method}", f' "$HOMEROOM{escape(path)}"']
    if operation["security"]:
        lines.append(' \\\n  -H "Authorization: Bearer $TOKEN"')
    body = _json_of(operation.get("requestBody", {}))
    if body:
        lines.append(f" \\\n  --json '{json_block(body['example'])}'")
    return "".join(lines)


def _answer(success: Document) -> str:
    content = _json_of(success)
    return json_block(content["example"]) if "example" in content else ""


# ── events ───────────────────────────────────────────────────────────────────────────────────────


def _events(live: Document, *, client: bool) -> str:
    messages = live["components"]["messages"].values()
    return "".join(_event(live, message) for message in messages if _is_client(message["name"]) is client)


def _event(live: Document, message: Document) -> str:
    definitions: Definitions = live["components"]["schemas"]
    payload, name = message["payload"], message["name"]
    facts = [f"<h4>Payload</h4>{table(payload, definitions)}"]
    sample = json_block(example(payload, definitions))
    if "x-ack" not in message:
        samples = [_sample("Event", f'socket.on("{name}", (event) => …)\n\n{sample}')]
    else:
        data = message["x-ack"]["oneOf"][0]["properties"]["data"]
        facts.append(f"<h4>Ack data</h4>{table(data, definitions)}")
        ack = {"ok": True, "data": example(data, definitions)}
        emit = f'await socket.emitWithAck("{name}", {sample})'
        samples = [_sample("Emit", emit), _sample("Ack", json_block(ack))]
    return _article(f"event-{name}", f"<code>{name}</code>", message["summary"], facts, samples)


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────


def _article(anchor: str, title: str, summary: str, facts: Iterable[str], samples: Iterable[str]) -> str:
    return (
        f'<article id="{anchor}"><h3><a href="#{anchor}">{title}</a></h3><p>{prose(summary)}</p>'
        f'<div class="facts">{"".join(facts)}</div><div class="samples">{"".join(samples)}</div></article>'
    )


def _sample(title: str, block: str) -> str:
    return f'<figure><figcaption>{title}</figcaption><pre tabindex="0">{block}</pre></figure>' if block else ""


def _object_names(http: Document, live: Document) -> list[str]:
    """Return the objects that properties name; bodies and answers themselves have their tables in place."""
    names: set[str] = set()
    for document in (live, http):
        for schema in document["components"]["schemas"].values():
            names.update(references(schema.get("properties", {})))
    return sorted(names)


def _objects(http: Document, live: Document) -> str:
    definitions: Definitions = {**http["components"]["schemas"], **live["components"]["schemas"]}
    return "".join(
        _article(
            f"object-{name}",
            name,
            definitions[name].get("description", ""),
            [table(definitions[name], definitions)],
            [_sample("Example", json_block(example(definitions[name], definitions)))],
        )
        for name in _object_names(http, live)
    )


def _errors() -> str:
    rows = (
        f'<tr id="error-{code}"><th scope="row"><code>{code}</code></th><td class="number">{spec.status}</td>'
        f"<td>{'yes' if spec.retryable else 'no'}</td><td>{prose(spec.message)}</td></tr>"
        for code, spec in ERRORS.items()
    )
    return "".join(rows)


def _limits(limits: Limits) -> str:
    rows = (
        f'<tr><th scope="row"><code>{name}</code></th><td class="number">{getattr(limits, name):,}</td>'
        f"<td>{prose(field.description or '')}</td></tr>"
        for name, field in Limits.model_fields.items()
    )
    return "".join(rows)
