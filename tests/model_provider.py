"""A model provider on loopback that answers from a script, in the protocols of OpenAI, Anthropic and Google."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-0123456789abcdefghij"
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY")


@dataclass
class Says:
    """An answer of the model: text and calls of tools, each a name with its arguments (text is taken for raw JSON)."""

    text: str = ""
    calls: list[tuple[str, dict[str, Any] | str]] = field(default_factory=list)
    tokens: tuple[int, int] = (1000, 100)
    stop: str | None = None
    starts: threading.Event | None = None
    """What a stream of it waits for before it begins."""
    halfway: threading.Event | None = None
    """What a stream of it waits for in its middle."""
    breaks: bool = False
    """Whether a stream of it breaks off in its middle."""


@dataclass
class Fails:
    """An error answer."""

    status: int
    message: str = "something went wrong"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Raw:
    """Bytes that are no answer of a model."""

    body: bytes
    content_type: str = "application/json"


@dataclass
class Holds:
    """No answer until it is let go, and none then."""

    reached: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


def calls(*wanted, text="", tokens=(1000, 100)):
    return Says(text, [(name, arguments) for name, arguments in wanted], tokens)


def finish(answer="Done."):
    return Says(calls=[("finish", {"answer": answer})])


@dataclass
class Provider:
    """What was asked, and what comes next. The last answer of a script is given again and again when `forever`."""

    url: str
    script: list[Any]
    forever: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def next(self):
        if self.forever and len(self.script) == 1:
            return self.script[0]
        return self.script.pop(0) if self.script else Fails(500, "the script is over", headers=NOW)

    def environment(self):
        """What the providers' libraries read."""
        addresses = {
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "ANTHROPIC_BASE_URL": self.url,
            "OLLAMA_BASE_URL": f"{self.url}/v1",
            "GOOGLE_GEMINI_BASE_URL": self.url,
        }
        return addresses | dict.fromkeys(KEYS, KEY)

    def told(self, number=-1):
        """All that a request told the model, as one text."""
        return json.dumps(self.requests[number], ensure_ascii=False)


NOW = {"retry-after-ms": "1"}
"""Asks the client's library not to wait before it tries again."""


@contextmanager
def provider(*script, forever=False):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.scripted = Provider(f"http://127.0.0.1:{server.server_port}", list(script), forever)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        scripted = self.server.scripted
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        scripted.requests.append(body)
        key = self.headers.get("Authorization") or self.headers.get("x-api-key") or self.headers.get("x-goog-api-key")
        scripted.keys.append(key or "")
        answer = scripted.next()
        if isinstance(answer, Holds):
            answer.reached.set()
            answer.let_go.wait(150)
            self.close_connection = True
        elif isinstance(answer, Raw):
            self._send(200, answer.body, answer.content_type)
        elif isinstance(answer, Fails):
            kind = "invalid_request_error" if answer.status == 400 else "error"
            error = {"message": answer.message, "type": kind, "code": answer.code, "status": answer.code}
            self._send(answer.status, json.dumps({"error": error}).encode(), headers=answer.headers)
        else:
            self._answer(answer, body, f"{len(scripted.requests)}")

    def _answer(self, answer, body, number):
        if self.path.endswith("/responses"):
            written = _responses(answer, body["model"], number)
            if body.get("stream"):
                return self._stream(answer, _response_events(written))
        elif self.path.endswith("/chat/completions"):
            written = _chat(answer, body["model"], number)
            if body.get("stream"):
                return self._stream(answer, _chat_events(written))
        elif "/messages" in self.path:
            written = _anthropic(answer, body["model"], number)
            if body.get("stream"):
                return self._stream(answer, _events(written))
        else:
            written = _google(answer)
            if ":streamGenerateContent" in self.path:
                return self._stream(answer, [f"data: {json.dumps(written)}\r\n\r\n".encode()])
        return self._send(200, json.dumps(written).encode())

    def _send(self, status, body, content_type="application/json", headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer, events):
        if answer.starts is not None:
            answer.starts.wait(60)
        body = b"".join(events)
        second = json.dumps(halves(answer.text)[-1]).encode() if answer.text else b""
        middle = body.find(second) if second else len(body) // 2
        self._send(200, body[:middle], "text/event-stream", {"Content-Length": len(body)})
        self.wfile.flush()
        if answer.breaks:
            self.close_connection = True
            return
        if answer.halfway is not None:
            answer.halfway.wait(60)
        self.wfile.write(body[middle:])

    def log_message(self, *_):
        pass


def _raw(arguments):
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _parsed(arguments):
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def _responses(answer, model, number):
    output = [
        {
            "type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": answer.text, "annotations": []}],
        }
    ] * bool(answer.text)  # fmt: skip
    output += [
        {
            "type": "function_call", "id": f"fc_{number}_{at}", "call_id": f"call_{number}_{at}", "name": name,
            "arguments": _raw(arguments), "status": "completed",
        }
        for at, (name, arguments) in enumerate(answer.calls)
    ]  # fmt: skip
    cut = answer.stop in {"length", "content_filter"}
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.stop)
    came, went = answer.tokens
    return {
        "id": f"resp_{number}", "object": "response", "created_at": 0, "model": model, "output": output, "tools": [],
        "status": "incomplete" if cut else "completed", "incomplete_details": {"reason": reason} if cut else None,
        "parallel_tool_calls": True, "tool_choice": "auto",
        "usage": {
            "input_tokens": came, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": went,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": came + went,
        },
    }  # fmt: skip


def _response_events(response):
    def event(kind, **data):
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()

    yield event("response.created", response={**response, "output": [], "status": "in_progress"})
    for index, item in enumerate(response["output"]):
        place = {"output_index": index, "item_id": item["id"], "sequence_number": 0}
        if item["type"] == "message":
            (part,) = item["content"]
            yield event("response.output_item.added", output_index=index, item={**item, "content": []})
            yield event("response.content_part.added", content_index=0, part={**part, "text": ""}, **place)
            for piece in halves(part["text"]):
                yield event("response.output_text.delta", content_index=0, delta=piece, logprobs=[], **place)
        else:
            yield event("response.output_item.added", output_index=index, item={**item, "arguments": ""})
            yield event("response.function_call_arguments.delta", delta=item["arguments"], **place)
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed" if response["status"] == "completed" else "response.incomplete", response=response)


def halves(text):
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def _chat_events(response):
    def chunk(choices, **more):
        written = {**response, "object": "chat.completion.chunk", "choices": choices, "usage": None, **more}
        return f"data: {json.dumps(written)}\n\n".encode()

    (choice,) = response["choices"]
    message = choice["message"]
    for piece in halves(message["content"] or ""):
        yield chunk([{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}])
    for at, call in enumerate(message.get("tool_calls", [])):
        yield chunk([{"index": 0, "delta": {"tool_calls": [{"index": at, **call}]}, "finish_reason": None}])
    yield chunk([{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}])
    yield chunk([], usage=response["usage"])
    yield b"data: [DONE]\n\n"


def _chat(answer, model, number):
    message = {"role": "assistant", "content": answer.text or None}
    if answer.calls:
        message["tool_calls"] = [
            {"id": f"call_{number}_{at}", "type": "function", "function": {"name": name, "arguments": _raw(arguments)}}
            for at, (name, arguments) in enumerate(answer.calls)
        ]
    reason = answer.stop or ("tool_calls" if answer.calls else "stop")
    came, went = answer.tokens
    return {
        "id": f"chatcmpl-{number}", "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": came, "completion_tokens": went, "total_tokens": came + went},
    }  # fmt: skip


def _anthropic(answer, model, number):
    content = [{"type": "text", "text": answer.text}] if answer.text else []
    content += [
        {"type": "tool_use", "id": f"toolu_{number}_{at}", "name": name, "input": _parsed(arguments)}
        for at, (name, arguments) in enumerate(answer.calls)
    ]
    came, went = answer.tokens
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": answer.stop or ("tool_use" if answer.calls else "end_turn"), "stop_sequence": None,
        "usage": {"input_tokens": came, "output_tokens": went},
    }  # fmt: skip


def _events(message):
    def event(kind, **data):
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()

    yield event("message_start", message={**message, "content": [], "stop_reason": None})
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            yield event("content_block_start", index=index, content_block={"type": "text", "text": ""})
            deltas = [{"type": "text_delta", "text": piece} for piece in halves(block["text"])]
        else:
            yield event("content_block_start", index=index, content_block={**block, "input": {}})
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=stop, usage=message["usage"])
    yield event("message_stop")


def _google(answer):
    parts = [{"text": answer.text}] if answer.text else []
    parts += [{"functionCall": {"name": name, "args": _parsed(arguments)}} for name, arguments in answer.calls]
    came, went = answer.tokens
    usage = {"promptTokenCount": came, "candidatesTokenCount": went, "totalTokenCount": came + went}
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": answer.stop or "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-pro", "responseId": "r"}
