"""Recorded streams of real providers, translated to the other dialects and read by the vendors' SDKs.

What an SDK makes of the translation is compared with what the SDK of the recording's own dialect
makes of the recording itself: text, calls with their arguments, and why it ended. The recordings are
looked for in PILLION_CORPUS, by default beside the project; where there are none, that is said.
"""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anthropic
import openai
import pytest
from conftest import CLIENT_KEY, DIRECT, OPENAI_CANARY, Pillion

HERE = Path(__file__).resolve()
CORPUS = Path(os.environ.get("PILLION_CORPUS") or HERE.parents[3] / "shared" / "corpus")
INDEX = CORPUS / "recorded" / "index.jsonl"
DIALECTS = ("chat", "messages", "responses")
APIS = {"chat": "OpenAiChat", "messages": "AnthropicMessages", "responses": "OpenAiResponses"}
HELLO = [{"role": "user", "content": "hello"}]

# Nobody can read it: a second message begins within the first. Its own SDK joins the two.
SPLICED = "vercel-spliced-message-start-sse"
# What the SDK of their own dialect does not read, either: errors within the stream, contents in
# lists, ids that change, JSON that is none.
UNREAD = {
    "groq-chat-sse-03",
    "mistral-chat-sse-01",
    "openai-responses-sse-08",
    "openrouter-chat-sse-02",
    "vercel-github-copilot-id-rotation_1-sse",
    "vercel-openai-error_1-sse",
    "vercel-openai-reasoning-encrypted-content_1-sse",
    "vercel-parallel-tool-call-wrapper_1-sse",
    "vercel-test-overloaded-first-event-sse",
    "vercel-test-overloaded-mid-stream-sse",
}


def recordings() -> list[dict]:
    if not INDEX.exists():
        return []
    records = [json.loads(line) for line in INDEX.read_text().splitlines()]
    wanted = [r for r in records if r["api"] in DIALECTS and r["stream"] and r["status"] == 200]
    return wanted


RECORDINGS = recordings()
if DIRECT:
    pytest.skip("SDK_DIRECT: no proxy in between", allow_module_level=True)
if not RECORDINGS:
    pytest.skip(f"no recordings in {CORPUS}", allow_module_level=True)


class Player(BaseHTTPRequestHandler):
    """Answers with the recording that the model's name begins with."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = asked["model"].partition("-to-")[0]
        said = self.server.said[name]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


@pytest.fixture(scope="module")
def player():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Player)
    server.daemon_threads = True
    folder = INDEX.parent
    server.said = {r["id"]: (folder / r["response"]).read_bytes() for r in RECORDINGS}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def manifests(url: str) -> str:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
              "stringData": {"key": OPENAI_CANARY}}
    keys = [{"name": "main", "secretRef": {"name": "keys", "key": "key"}}]
    provider = lambda name: {
        "provider": "Custom", "keys": keys,
        "endpoints": [{"api": APIS[name], "baseUrl": url + ("" if name == "messages" else "/v1")}],
    }
    rule = lambda name: {
        "name": name, "matches": [{"model": f"*-to-{name}"}],
        "targets": [{"provider": {"name": name}}],
    }
    ours = lambda kind, name, spec: {
        "apiVersion": "pillion.dev/v1alpha1", "kind": kind, "metadata": {"name": name},
        "spec": spec,
    }
    objects = [secret, *(ours("ProviderSecret", name, provider(name)) for name in DIALECTS),
               ours("LlmRoute", "all", {"rules": [rule(name) for name in DIALECTS]})]
    for each in objects:
        each["metadata"]["namespace"] = "default"
    return "\n---\n".join(json.dumps(each) for each in objects)


@pytest.fixture(scope="module")
def translating(player, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "all.yaml").write_text(manifests(player))
    pillion = Pillion(folder)
    yield pillion.url
    assert pillion.stop() == 0
    assert OPENAI_CANARY not in pillion.text()


def arguments(text: str):
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def by_chat(url: str, model: str):
    text, calls, ended = "", {}, None
    with openai.OpenAI(base_url=f"{url}/v1", api_key=CLIENT_KEY, max_retries=0) as client:
        asked = {"model": model, "messages": HELLO, "stream": True}
        for chunk in client.chat.completions.create(**asked):
            for choice in (choice for choice in chunk.choices if choice.index == 0):
                text += choice.delta.content or ""
                for call in choice.delta.tool_calls or []:
                    whole = calls.setdefault(call.index, ["", ""])
                    whole[0] = whole[0] or (call.function and call.function.name) or ""
                    whole[1] += (call.function and call.function.arguments) or ""
                ended = choice.finish_reason or ended
    ends = {"length": "cut", "content_filter": "refused"}
    calls = [(name, arguments(given)) for _, (name, given) in sorted(calls.items())]
    # Some end with `[DONE]` alone.
    return text, calls, ends.get(ended, "ended")


def by_messages(url: str, model: str):
    with anthropic.Anthropic(base_url=url, api_key=CLIENT_KEY, max_retries=0) as client:
        with client.messages.stream(model=model, max_tokens=99, messages=HELLO) as stream:
            whole = stream.get_final_message()
    text = "".join(block.text for block in whole.content if block.type == "text")
    calls = [(block.name, block.input) for block in whole.content if block.type == "tool_use"]
    ends = {"max_tokens": "cut", "model_context_window_exceeded": "cut", "refusal": "refused"}
    return text, calls, ends.get(whole.stop_reason, "ended")


def by_responses(url: str, model: str):
    with openai.OpenAI(base_url=f"{url}/v1", api_key=CLIENT_KEY, max_retries=0) as client:
        with client.responses.stream(model=model, input="hello") as stream:
            last = None
            for event in stream:
                last = event
    whole = last.response
    given = {"function_call": "arguments", "custom_tool_call": "input"}
    calls = [(item.name, arguments(getattr(item, given[item.type]))) for item in whole.output
             if item.type in given]
    reason = whole.incomplete_details and whole.incomplete_details.reason
    ends = {"max_output_tokens": "cut", "content_filter": "refused"}
    return whole.output_text, calls, ends.get(reason, "ended")


READERS = {"chat": by_chat, "messages": by_messages, "responses": by_responses}
PAIRS = [
    pytest.param(record["id"], record["api"], client, id=f"{record['id']}-{client}")
    for record in RECORDINGS for client in DIALECTS if client != record["api"]
]


@pytest.mark.parametrize(("name", "spoken", "client"), PAIRS)
def test_recorded(translating, player, name, spoken, client):
    model = f"{name}-to-{spoken}"
    try:
        expected = READERS[spoken](player, model)
    except Exception as error:
        assert name in UNREAD, error
        expected = error
    try:
        read = READERS[client](translating, model)
    except (anthropic.APIError, openai.APIError) as error:
        assert isinstance(expected, Exception) or name == SPLICED, (error, expected)
        return
    if not isinstance(expected, Exception):
        assert comparable(read) == comparable(expected)


def comparable(said):
    """Calls that were cut off are read in different ways; a custom tool's text may be wrapped."""
    text, calls, ended = said
    bare = lambda given: given["input"] if isinstance(given, dict) and set(given) == {"input"} else given
    return text, [(name, ended != "cut" and bare(given)) for name, given in calls], ended
