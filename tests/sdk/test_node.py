"""The AI SDK of Node.js through Pillion: a tool loop, with an upstream of another dialect."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import CLIENT_KEY, installed
from upstream import TEXT, WORDS

HERE = Path(__file__).parent
LOOP_SECONDS = 60
PATHS = {"to-chat": "/v1/chat/completions", "to-messages": "/v1/messages"}
pytestmark = pytest.mark.usefixtures("proxied")


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder in which the SDK is installed."""
    return installed("tests/sdk/node")


def run(packages: Path, asked: dict) -> dict:
    # From standard input, a module's imports are looked for where the process stands.
    node = ["node", "--input-type=module", "-", json.dumps(asked)]
    done = subprocess.run(
        node,
        input=(HERE / "node/loop.mjs").read_text(),
        cwd=packages,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=LOOP_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("api", "to"), [("messages", "to-chat"), ("chat", "to-messages"), ("responses", "to-messages")]
)
def test_tool_loop(packages, base_url, model, requests, api, to, streamed):
    asked = {"base_url": base_url, "key": CLIENT_KEY, "api": api, "streamed": streamed}
    seen = run(packages, asked | {"model": f"{model('m')}-{to}"})
    assert seen == {
        "text": TEXT,
        "deltas": WORDS if streamed else [],
        "reasons": ["tool-calls", "stop"],
        "outputTokens": 14,
        "warnings": [],
        "calls": [{"city": "Ulm"}],
        "errors": [],
    }
    first, second = requests()
    assert first.target == second.target == PATHS[to]
    assert "sunny" not in json.dumps(first.json())
    assert "sunny" in json.dumps(second.json())
