"""A scripted provider on loopback that speaks OpenAI's and Anthropic's APIs.

It records every request as it arrived. What it answers is decided by the path and by the model's
name: `flaky-429-…`, `flaky-500-…` and `flaky-cut-…` fail the first time that they are asked for,
`always-401-…` and `always-529-…` always. Only the standard library: what a test sees is what came.
"""

import json
import threading
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
ANTHROPIC_USAGE = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 5}
# What is called of the tools that a caller offers, and with what. Claude Code and Codex run a
# command by those behind the first; the last is what a translation makes of Codex's `exec`, a tool
# that takes JavaScript.
COMMAND = "echo hello > proof.txt"
CALLS = {
    "weather": {"city": "Ulm"},
    "Bash": {"command": COMMAND, "description": "Prove it"},
    "exec_command": {"cmd": COMMAND},
    "functions__exec": {"input": f'text(await tools.exec_command({{cmd: "{COMMAND}"}}))'},
}
WORDS = ["Hello", " from", " the", " upstream ", "\u2713"]
TEXT = "".join(WORDS)


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def all(self, name: str) -> list[str]:
        return [value for have, value in self.headers if have.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) < 2, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    def parts(self) -> dict[str, bytes]:
        """The parts of a multipart body, by name."""
        head = f"Content-Type: {self.header('content-type')}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        parts = message.iter_parts()
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in parts
        }


class Upstream:
    """The server; `requests` grows as they come."""

    def __init__(self):
        self.requests: list[Request] = []
        self.seen: set[str] = set()
        self.left = threading.Event()
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.upstream = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def first_time(self, name: str) -> bool:
        with self.lock:
            first = name not in self.seen
            self.seen.add(name)
            return first

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ThreadingHTTPServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def do_DELETE(self):
        self.serve()

    def serve(self):
        request = Request(self.command, self.path, list(self.headers.items()), self.read_body())
        upstream: Upstream = self.server.upstream
        with upstream.lock:
            upstream.requests.append(request)
        try:
            if not self.fail(request, upstream):
                self.answer(request, upstream)
        except (BrokenPipeError, ConnectionResetError):
            upstream.left.set()
            self.close_connection = True

    def read_body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", "0")))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    # What goes wrong, by the model's name.

    def fail(self, request: Request, upstream: Upstream) -> bool:
        model = model_of(request)
        if model.startswith("always-401"):
            self.error(request, 401, "authentication_error", "bad key")
        elif model.startswith("always-529"):
            self.error(request, 529, "overloaded_error", "overloaded")
        elif model.startswith("flaky-429") and upstream.first_time(model):
            wait = {"retry-after": "1", "retry-after-ms": "20"}
            self.error(request, 429, "rate_limit_error", "slow down", wait)
        elif model.startswith("flaky-500") and upstream.first_time(model):
            self.error(request, 500, "api_error", "try again", {"retry-after-ms": "20"})
        elif model.startswith("final-500"):
            self.error(request, 500, "api_error", "no use", {"x-should-retry": "false"})
        elif model.startswith("flaky-cut") and upstream.first_time(model):
            self.start_stream()
            self.event("message_start" if is_anthropic(request) else None, {"type": "ping"})
            self.wfile.flush()
            self.close_connection = True
        else:
            return False
        return True

    def error(self, request: Request, status: int, kind: str, message: str, headers=None):
        error = {"type": kind, "message": message}
        if is_anthropic(request):
            body = {"type": "error", "error": error, "request_id": "req_upstream"}
        else:
            body = {"error": error | {"param": None, "code": None}}
        self.json(body, status, headers)

    # What goes right, by the path.

    def answer(self, request: Request, upstream: Upstream):
        path = request.path
        if path == "/v1/chat/completions":
            self.chat(request, upstream)
        elif path == "/v1/responses":
            self.responses_api(request)
        elif path == "/v1/embeddings":
            self.embeddings(request)
        elif path == "/v1/audio/transcriptions":
            parts = request.parts()
            self.json({"text": f"{len(parts['file'])} bytes for {parts['model'].decode()}"})
        elif path == "/v1/messages":
            self.messages(request)
        elif path == "/v1/messages/count_tokens":
            self.json({"input_tokens": 42})
        elif path == "/v1/messages/batches":
            self.json(batch())
        elif path == "/v1/files":
            self.files(request)
        elif path.startswith("/v1/models"):
            self.models(request)
        elif path.startswith("/v1/files/") and request.method == "DELETE":
            self.json({"id": path.removeprefix("/v1/files/"), "object": "file", "deleted": True})
        else:
            self.error(request, 404, "not_found_error", f"no {path} here")

    def chat(self, request: Request, upstream: Upstream):
        asked = request.json()
        if asked.get("stream"):
            return self.chat_stream(asked, upstream)
        message = {"role": "assistant", "content": TEXT}
        reason = "stop"
        if called := call_of(asked):
            call = {"name": called.name, "arguments": called.arguments}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
            message["content"], reason = None, "tool_calls"
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        self.json(chat_object(asked, "chat.completion") | {"choices": [choice], "usage": USAGE})

    def chat_stream(self, asked: dict, upstream: Upstream):
        self.start_stream()
        head = chat_object(asked, "chat.completion.chunk")
        choice = {"index": 0, "finish_reason": None}
        called = call_of(asked)
        if called:
            deltas = [tool_delta(name=called.name)] + [
                tool_delta(arguments=part) for part in called.parts
            ]
        else:
            deltas = [{"role": "assistant"}] + [{"content": word} for word in WORDS]
        for delta in deltas:
            self.event(None, head | {"choices": [choice | {"delta": delta}]})
        if asked["model"].startswith("endless"):
            while True:
                self.event(None, head | {"choices": [choice | {"delta": {"content": "more"}}]})
        reason = "tool_calls" if called else "stop"
        self.event(None, head | {"choices": [choice | {"delta": {}, "finish_reason": reason}]})
        if (asked.get("stream_options") or {}).get("include_usage"):
            self.event(None, head | {"choices": [], "usage": USAGE})
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def responses_api(self, request: Request):
        asked = request.json()
        part = {"type": "output_text", "text": TEXT, "annotations": []}
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        whole = {
            "id": "resp_1", "object": "response", "created_at": 1, "model": asked["model"],
            "status": "completed", "output": [item | {"content": [part]}], "tools": [],
            "parallel_tool_calls": True, "tool_choice": "auto",
            "usage": {
                "input_tokens": 11, "output_tokens": 7, "total_tokens": 18,
                "input_tokens_details": {"cached_tokens": 5},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }
        if called := call_of(asked):
            call = {"id": "fc_1", "type": "function_call", "call_id": "call_1"}
            call |= {"name": called.name, "arguments": called.arguments}
            whole["output"] = [call | {"status": "completed"}]
        if not asked.get("stream"):
            return self.json(whole)
        self.start_stream()
        started = whole | {"status": "in_progress", "output": [], "usage": None}
        if called:
            return self.responses_call(started, whole, called)
        at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        events = [
            {"type": "response.created", "response": started},
            {"type": "response.output_item.added", "output_index": 0,
             "item": item | {"status": "in_progress", "content": []}},
            {"type": "response.content_part.added", "part": part | {"text": ""}} | at,
            *({"type": "response.output_text.delta", "delta": word, "logprobs": []} | at
              for word in WORDS),
            {"type": "response.output_text.done", "text": TEXT, "logprobs": []} | at,
            {"type": "response.content_part.done", "part": part} | at,
            {"type": "response.output_item.done", "output_index": 0,
             "item": item | {"content": [part]}},
            {"type": "response.completed", "response": whole},
        ]
        for number, event in enumerate(events):
            self.event(event["type"], event | {"sequence_number": number})
        self.chunk(b"")

    def responses_call(self, started: dict, whole: dict, called: "Call"):
        [item] = whole["output"]
        at = {"item_id": item["id"], "output_index": 0}
        begun = item | {"arguments": "", "status": "in_progress"}
        events = [
            {"type": "response.created", "response": started},
            {"type": "response.output_item.added", "output_index": 0, "item": begun},
            *({"type": "response.function_call_arguments.delta", "delta": part} | at
              for part in called.parts),
            {"type": "response.function_call_arguments.done", "arguments": item["arguments"],
             "name": item["name"]} | at,
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
        for number, event in enumerate(events):
            self.event(event["type"], event | {"sequence_number": number})
        self.chunk(b"")

    def embeddings(self, request: Request):
        asked = request.json()
        inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        # 0.5 and -2 as little-endian floats: the SDK asks for base64 unless told otherwise.
        vector = "AAAAPwAAAMA=" if asked.get("encoding_format") == "base64" else [0.5, -2.0]
        data = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, _ in enumerate(inputs)
        ]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        self.json({"object": "list", "data": data, "model": asked["model"], "usage": usage})

    def messages(self, request: Request):
        asked = request.json()
        called = call_of(asked)
        if called:
            block = {"type": "tool_use", "id": "toolu_1", "name": called.name}
            block |= {"input": json.loads(called.arguments)}
            reason = "tool_use"
        else:
            block, reason = {"type": "text", "text": TEXT}, "end_turn"
        whole = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"],
            "content": [block], "stop_reason": reason, "stop_sequence": None,
            "usage": ANTHROPIC_USAGE,
        }
        if not asked.get("stream"):
            return self.json(whole, headers={"request-id": "req_upstream"})
        self.messages_stream(whole, called)

    def messages_stream(self, whole: dict, called: "Call | None"):
        self.start_stream()
        [block], reason = whole["content"], whole["stop_reason"]
        usage = ANTHROPIC_USAGE | {"output_tokens": 1}
        started = whole | {"content": [], "stop_reason": None, "usage": usage}
        if called is None:
            empty = block | {"text": ""}
            deltas = [{"type": "text_delta", "text": word} for word in WORDS]
        else:
            empty = block | {"input": {}}
            deltas = [
                {"type": "input_json_delta", "partial_json": part}
                for part in ["", *called.parts]
            ]
        events = [
            {"type": "message_start", "message": started},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            {"type": "ping"},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
             "usage": {"output_tokens": 7}},
            {"type": "message_stop"},
        ]
        for event in events:
            self.event(event["type"], event)
        self.chunk(b"")

    def files(self, request: Request):
        size = len(request.parts()["file"]) if request.method == "POST" else 3
        if is_anthropic(request):
            file = {
                "id": "file_1", "type": "file", "filename": "a.bin", "size_bytes": size,
                "mime_type": "application/octet-stream", "created_at": "2026-11-01T00:00:00Z",
                "downloadable": False,
            }
            page = {"data": [file], "has_more": False, "first_id": "file_1", "last_id": "file_1"}
        else:
            file = {
                "id": "file-1", "object": "file", "bytes": size, "filename": "a.bin",
                "created_at": 1, "purpose": "user_data", "status": "processed",
            }
            page = {"object": "list", "data": [file], "has_more": False}
        self.json(file if request.method == "POST" else page)

    def models(self, request: Request):
        """Only asked directly: Pillion answers for itself."""
        if is_anthropic(request):
            model = {
                "type": "model", "id": "claude-test", "display_name": "Claude Test",
                "created_at": "2026-11-01T00:00:00Z",
            }
            page = {"first_id": "claude-test", "last_id": "claude-test", "has_more": False}
        else:
            model = {"object": "model", "id": "gpt-test", "created": 1, "owned_by": "mock"}
            page = {"object": "list"}
        single = request.path != "/v1/models"
        self.json(model if single else page | {"data": [model]})

    # The wire.

    def json(self, body, status=200, headers=None):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def start_stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def event(self, name: str | None, data: dict):
        text = f"event: {name}\n" if name else ""
        self.chunk(f"{text}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())

    def chunk(self, data: bytes):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def model_of(request: Request) -> str:
    is_json = (request.header("content-type") or "").startswith("application/json")
    return request.json().get("model", "") if is_json and request.body else ""


def is_anthropic(request: Request) -> bool:
    return request.header("anthropic-version") is not None


@dataclass
class Call:
    """A tool and its arguments, whole and as a stream has them."""

    name: str
    arguments: str

    @property
    def parts(self) -> list[str]:
        return [self.arguments[:7], self.arguments[7:]]


def call_of(asked: dict) -> Call | None:
    """Of the tools that there are, where none of them has said anything yet."""
    said = json.dumps(asked.get("messages", asked.get("input")))
    results = ('"role": "tool"', '"type": "tool_result"', '"type": "function_call_output"')
    if any(result in said for result in results):
        return None
    names = [tool.get("function", tool).get("name") for tool in asked.get("tools") or []]
    called = [Call(name, json.dumps(CALLS[name])) for name in names if name in CALLS]
    return called[0] if called else None


def chat_object(asked: dict, kind: str) -> dict:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": asked["model"]}


def tool_delta(name: str | None = None, arguments: str = "") -> dict:
    call = {"index": 0, "function": {"arguments": arguments}}
    if name:
        call |= {"id": "call_1", "type": "function"}
        call["function"]["name"] = name
    return {"tool_calls": [call]}


def batch() -> dict:
    counts = {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
    return {
        "id": "msgbatch_1", "type": "message_batch", "processing_status": "in_progress",
        "request_counts": counts, "created_at": "2026-11-01T00:00:00Z",
        "expires_at": "2026-11-02T00:00:00Z", "archived_at": None, "ended_at": None,
        "cancel_initiated_at": None, "results_url": None,
    }
