"""The description as pages, at `/docs` and `/redoc`: plain HTML made here, so that nothing is loaded from elsewhere."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from starlette.requests import Request

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.7rem;border:1px solid #8886;border-radius:6px}
summary{cursor:pointer;padding:.35rem 0}details{border-top:1px solid #8884}details details{margin-left:1rem}
b.m{display:inline-block;min-width:4.2rem}table{border-collapse:collapse}td{padding:.15rem .8rem .15rem 0;
vertical-align:top}h2{margin-top:2.2rem}nav a{margin-right:.8rem}
"""


def install(app: FastAPI, *, home: bool) -> None:
    """Serve the pages.

    Args:
        app: the server.
        home: whether to send people to them who open the bare address.
    """

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(render(request.app.openapi()), headers={"Content-Security-Policy": _POLICY})

    async def to_docs(_: Request) -> RedirectResponse:
        return RedirectResponse("/docs")

    for path in ("/docs", "/redoc"):
        app.add_route(path, page, methods=["GET"], include_in_schema=False)
    if home:
        app.add_route("/", to_docs, methods=["GET"], include_in_schema=False)


def render(document: dict[str, Any]) -> str:
    """An OpenAPI document as one page."""
    info = document["info"]
    tags = [tag for tag in document["tags"] if any(True for _ in _operations(document, tag["name"]))]
    links = "".join(f'<a href="#{escape(tag["name"])}">{escape(tag["name"])}</a>' for tag in tags)
    sections = "".join(_section(document, tag) for tag in tags)
    models = "".join(_model(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{_paragraphs(info['summary'])}"
        f"{_paragraphs(info['description'])}<p><a href='/openapi.json'>openapi.json</a></p><nav>{links}</nav>"
        f"{sections}<h2 id='models'>Models</h2>{models}</html>"
    )


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_marked(part)}</p>" for part in text.strip().split("\n\n"))


def _marked(text: str) -> str:
    """Text with its marks for code and strong words."""
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", re.sub(r"`(.+?)`", r"<code>\1</code>", escape(text)))


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation.get("tags", []):
                yield method.upper(), path, operation


def _section(document: dict[str, Any], tag: dict[str, str]) -> str:
    operations = "".join(_operation(*found) for found in _operations(document, tag["name"]))
    return f"<h2 id='{escape(tag['name'])}'>{escape(tag['name'])}</h2>{_paragraphs(tag['description'])}{operations}"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(_parameter(parameter) for parameter in operation.get("parameters", []))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = "".join(_answer(status, answer) for status, answer in operation["responses"].items())
    return (
        f"<details><summary><b class='m'>{method}</b><code>{escape(path)}</code> — {escape(operation['summary'])}"
        f"</summary>{_paragraphs(operation.get('description', ''))}"
        f"<table>{rows}</table>{f'<p>Body: {_type(body)}</p>' if body else ''}<table>{answers}</table></details>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    need = "required" if parameter.get("required") else "optional"
    note = _marked(parameter.get("description", ""))
    name = escape(parameter["name"])
    return f"<tr><td><code>{name}</code><td>{parameter['in']}, {need}<td>{_type(parameter['schema'])}<td>{note}"


def _answer(status: str, answer: dict[str, Any]) -> str:
    content = answer.get("content", {})
    shape = ", ".join(_type(kind.get("schema", {})) for kind in content.values())
    return f"<tr><td><code>{escape(status)}</code><td>{shape}<td>{_marked(answer.get('description', ''))}"


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with links to the models it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#model-{name}'>{name}</a>"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(_type(part) for part in schema.get("anyOf", schema.get("oneOf", [])))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return escape(" ".join(str(value) for value in schema["enum"]))
    return escape(str(schema.get("const", schema.get("type", "any"))))


def _model(name: str, schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return (
        f"<details id='model-{escape(name)}'><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>"
    )
