"""Starts the scripted upstream and a real Pillion in front of it, once for all tests.

Pillion's binary is `PILLION_BIN`. With `SDK_DIRECT=1` the SDKs talk to the upstream directly, which
shows that a test is right about the SDK; what is Pillion's own work is then skipped.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import anthropic
import openai
import pytest
from upstream import Upstream

# Found anywhere but in a request to the upstream, these are a leak.
OPENAI_CANARY = "sk-canary-openai-5d41402abc4b"
ANTHROPIC_CANARY = "sk-ant-canary-7d793037a076"
# What the SDKs are given; it must never go upstream.
CLIENT_KEY = "client-own-key-b6589fc6ab0d"

DIRECT = os.environ.get("SDK_DIRECT") == "1"
# What a developer's shell may say to SDKs and proxies is nothing that a test wants to hear.
for name in list(os.environ):
    if name.lower().endswith("_proxy") or name.startswith(("ANTHROPIC_", "OPENAI_")):
        del os.environ[name]

START_SECONDS = 30
STOP_SECONDS = 30

MANIFESTS = """\
apiVersion: v1
kind: Secret
metadata: {{name: keys, namespace: default}}
stringData:
  openai: {openai_key}
  anthropic: {anthropic_key}
---
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: {{name: openai-like, namespace: default}}
spec:
  provider: Custom
  endpoints:
    - {{api: OpenAi, baseUrl: "{upstream}/v1"}}
  keys:
    - {{name: main, secretRef: {{name: keys, key: openai}}}}
  models:
    - {{name: gpt-test}}
---
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: {{name: anthropic-like, namespace: default}}
spec:
  provider: Custom
  endpoints:
    - {{api: AnthropicMessages, baseUrl: "{upstream}"}}
  auth: {{type: ApiKeyHeader, name: x-api-key}}
  keys:
    - {{name: main, secretRef: {{name: keys, key: anthropic}}}}
  models:
    - {{name: claude-test, displayName: Claude Test}}
---
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: {{name: chat-only, namespace: default}}
spec:
  provider: Custom
  endpoints:
    - {{api: OpenAiChat, baseUrl: "{upstream}/v1"}}
  keys:
    - {{name: main, secretRef: {{name: keys, key: openai}}}}
---
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: {{name: responses-only, namespace: default}}
spec:
  provider: Custom
  endpoints:
    - {{api: OpenAiResponses, baseUrl: "{upstream}/v1"}}
  keys:
    - {{name: main, secretRef: {{name: keys, key: openai}}}}
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: {{name: sdk, namespace: default}}
spec:
  rules:
    - name: to-chat
      matches: [{{model: "*-to-chat"}}]
      targets: [{{provider: {{name: chat-only}}}}]
    - name: to-responses
      matches: [{{model: "*-to-responses"}}]
      targets: [{{provider: {{name: responses-only}}}}]
    - name: to-messages
      matches: [{{model: "*-to-messages"}}]
      targets: [{{provider: {{name: anthropic-like}}}}]
    - name: alias
      matches:
        - {{model: claude-alias, api: AnthropicMessages}}
      targets:
        - {{provider: {{name: anthropic-like}}, model: claude-test}}
    - name: anthropic
      matches:
        - {{api: AnthropicMessages}}
      targets:
        - {{provider: {{name: anthropic-like}}}}
    - name: openai
      targets:
        - {{provider: {{name: openai-like}}}}
"""


class Pillion:
    """A running proxy and every line that it wrote."""

    def __init__(self, manifests: Path):
        command = [os.environ["PILLION_BIN"], "proxy", "--manifests", str(manifests)]
        command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, **pipes)
        self.output: list[bytes] = []
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        readers = [(self.process.stdout, False), (self.process.stderr, True)]
        self.threads = [threading.Thread(target=self.read, args=reader) for reader in readers]
        for thread in self.threads:
            thread.start()
        try:
            start = self.start_line()
            self.url = f"http://{start['proxy']}"
            self.admin = f"http://{start['admin']}"
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def read(self, pipe, queued: bool):
        for line in pipe:
            self.output.append(line)
            if queued:
                self.lines.put(line)
        if queued:
            self.lines.put(None)

    def start_line(self) -> dict:
        while (line := self.lines.get(timeout=START_SECONDS)) is not None:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record.get("message") == "listening":
                return record
        raise AssertionError("pillion ended before it listened:\n" + self.text())

    def wait_ready(self):
        """Returns once /readyz says yes; asking is how one waits for it."""
        for _ in range(1000):
            try:
                with urllib.request.urlopen(f"{self.admin}/readyz", timeout=START_SECONDS):
                    return
            except urllib.error.HTTPError:
                threading.Event().wait(0.01)
        raise AssertionError("pillion did not become ready:\n" + self.text())

    def metrics(self) -> str:
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=START_SECONDS) as page:
            return page.read().decode()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
            for thread in self.threads:
                thread.join()
            self.process.stdout.close()
            self.process.stderr.close()

    def text(self) -> str:
        return b"".join(self.output).decode()


def installed(package: str) -> Path:
    """The folder in which the npm packages of `package` are; skips the test without Node.js."""
    script = Path(__file__).parents[2] / "scripts/node-modules"
    command = [script, package]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return Path(lines[-1]) if lines else pytest.skip("no Node.js here")


@pytest.fixture(scope="session")
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def pillion(upstream, tmp_path_factory):
    if DIRECT:
        yield None
        return
    manifests = tmp_path_factory.mktemp("manifests")
    text = MANIFESTS.format(
        upstream=upstream.url, openai_key=OPENAI_CANARY, anthropic_key=ANTHROPIC_CANARY
    )
    (manifests / "sdk.yaml").write_text(text)
    pillion = Pillion(manifests)
    yield pillion
    pillion.stop()


@pytest.fixture(scope="session")
def base_url(upstream, pillion) -> str:
    return pillion.url if pillion else upstream.url


@pytest.fixture
def proxied(pillion):
    """The running proxy; tests of its own work are skipped without one."""
    return pillion or pytest.skip("SDK_DIRECT: no proxy in between")


@pytest.fixture
def requests(upstream, pillion):
    """What arrived upstream since the test began; Pillion's key on it, and no other."""
    begin = len(upstream.requests)
    yield lambda: upstream.requests[begin:]
    for request in upstream.requests[begin:] if pillion else []:
        assert_keys_replaced(request)


def assert_keys_replaced(request):
    assert CLIENT_KEY not in str(request.headers)
    if request.header("anthropic-version"):
        assert request.header("x-api-key") == ANTHROPIC_CANARY
        assert request.header("authorization") is None
    else:
        assert request.header("authorization") == f"Bearer {OPENAI_CANARY}"
        assert request.header("x-api-key") is None


@pytest.fixture
def model():
    """A model name that no other test uses, for scripts that count."""
    return lambda kind: f"{kind}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def chat(base_url):
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key=CLIENT_KEY) as client:
        yield client


@pytest.fixture
async def async_chat(base_url):
    async with openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key=CLIENT_KEY) as client:
        yield client


@pytest.fixture
def claude(base_url):
    with anthropic.Anthropic(base_url=base_url, api_key=CLIENT_KEY) as client:
        yield client


@pytest.fixture
async def async_claude(base_url):
    async with anthropic.AsyncAnthropic(base_url=base_url, api_key=CLIENT_KEY) as client:
        yield client


@pytest.fixture
def anyio_backend():
    return "asyncio"
