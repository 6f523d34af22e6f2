"""Claude Code and Codex themselves through Pillion, on upstreams of every dialect: an agent thinks,
runs a command by its own tool, and is told the end. `make agents` runs this: they are large.
"""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import ANTHROPIC_CANARY, CLIENT_KEY, OPENAI_CANARY, installed
from upstream import TEXT

AGENT_SECONDS = 120
PATHS = {
    "to-chat": "/v1/chat/completions",
    "to-messages": "/v1/messages",
    "to-responses": "/v1/responses",
}
pytestmark = pytest.mark.usefixtures("proxied")


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder in which the agents are installed."""
    return installed("tests/sdk/agents") / "node_modules"


class Agent:
    """Runs agents in a home and a folder of their own."""

    def __init__(self, packages: Path, base_url: str, folder: Path):
        self.packages, self.base_url, self.work = packages, base_url, folder / "work"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.work.mkdir()

    def run(self, *command: str, **environment: str) -> str:
        done = subprocess.run(
            ["node", *command],
            cwd=self.work,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=AGENT_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert OPENAI_CANARY not in done.stdout + done.stderr
        assert ANTHROPIC_CANARY not in done.stdout + done.stderr
        return done.stdout.strip()

    def claude_code(self, model: str) -> str:
        program = str(self.packages / "@anthropic-ai/claude-code/cli-wrapper.cjs")
        words = ["-p", "Write a proof.", "--model", model, "--allowedTools", "Bash"]
        return self.run(
            program,
            *words,
            ANTHROPIC_BASE_URL=self.base_url,
            ANTHROPIC_AUTH_TOKEN=CLIENT_KEY,
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        )

    def codex(self, model: str) -> str:
        program = str(self.packages / "@openai/codex/bin/codex.js")
        provider = {
            "model_provider": '"pillion"',
            "model_providers.pillion.name": '"Pillion"',
            "model_providers.pillion.base_url": f'"{self.base_url}/v1"',
            "model_providers.pillion.wire_api": '"responses"',
            "model_providers.pillion.env_key": '"OPENAI_API_KEY"',
        }
        settings = [word for pair in provider.items() for word in ("-c", "=".join(pair))]
        words = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        words += ["-m", model, *settings, "Write a proof."]
        return self.run(program, *words, OPENAI_API_KEY=CLIENT_KEY)


@pytest.fixture
def agent(packages, base_url, tmp_path):
    return Agent(packages, base_url, tmp_path)


@pytest.mark.parametrize("to", PATHS)
@pytest.mark.parametrize("run", [Agent.claude_code, Agent.codex], ids=["claude-code", "codex"])
def test_an_agent_works(agent, model, requests, run, to):
    assert run(agent, f"{model('agent')}-{to}") == TEXT
    assert (agent.work / "proof.txt").read_text() == "hello\n"
    assert [request.target.partition("?")[0] for request in requests()] == [PATHS[to]] * 2


# Models that Codex knows by name get their tools among the items of the input.
@pytest.mark.parametrize("to", ["to-chat", "to-messages"])
def test_codex_works_with_a_model_that_it_knows(agent, model, requests, to):
    assert agent.codex(f"{model('gpt-6-sol')}-{to}") == TEXT
    assert (agent.work / "proof.txt").read_text() == "hello\n"
    assert len(requests()) == 2


@pytest.mark.parametrize("kind", ["flaky-429", "flaky-500"])
@pytest.mark.parametrize("run", [Agent.claude_code, Agent.codex], ids=["claude-code", "codex"])
def test_an_agent_tries_again(agent, model, requests, run, kind):
    assert run(agent, f"{model(kind)}-to-chat") == TEXT
    assert len(requests()) == 3
