"""The Anthropic SDK through Pillion: what it returns, and what reached the upstream."""

import base64

import anthropic
import httpx2
import pytest
from conftest import CLIENT_KEY
from upstream import TEXT

HELLO = [{"role": "user", "content": "hello"}]
ASKED = {"model": "claude-test", "max_tokens": 100, "messages": HELLO}
WEATHER = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}


def test_messages(claude, requests):
    message = claude.messages.create(**ASKED)
    assert message.content[0].text == TEXT
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (11, 5)
    assert message._request_id == "req_upstream"
    [request] = requests()
    assert (request.method, request.target) == ("POST", "/v1/messages")
    assert request.json() == ASKED


def test_version_and_betas_arrive_as_sent(claude, requests):
    betas = "context-1m-2025-08-07,made-up-2099-01-01"
    claude.messages.create(**ASKED, extra_headers={"anthropic-beta": betas})
    sent = claude.default_headers["anthropic-version"]
    [request] = requests()
    assert request.header("anthropic-version") == sent
    assert request.header("anthropic-beta") == betas


def test_query_strings_arrive(claude, requests):
    claude.messages.create(**ASKED, extra_query={"beta": "true"})
    assert requests()[0].target == "/v1/messages?beta=true"


def test_messages_streamed(claude):
    events = list(claude.messages.create(**ASKED, stream=True))
    assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
    deltas = [event for event in events if event.type == "content_block_delta"]
    assert "".join(event.delta.text for event in deltas) == TEXT


def test_stream_helper(claude):
    with claude.messages.stream(**ASKED) as stream:
        assert "".join(stream.text_stream) == TEXT
        message = stream.get_final_message()
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 7)


def test_tools(claude, requests):
    message = claude.messages.create(**ASKED, tools=[WEATHER])
    call = message.content[0]
    assert (call.name, call.input, message.stop_reason) == ("weather", {"city": "Ulm"}, "tool_use")
    answer = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    turns = [
        *HELLO,
        {"role": "assistant", "content": [call.model_dump(exclude_none=True)]},
        {"role": "user", "content": [answer]},
    ]
    claude.messages.create(**(ASKED | {"messages": turns}))
    assert requests()[1].json()["messages"] == turns


def test_tools_streamed(claude):
    with claude.messages.stream(**ASKED, tools=[WEATHER]) as stream:
        message = stream.get_final_message()
    assert message.content[0].input == {"city": "Ulm"}


def test_images(claude, requests):
    data = base64.b64encode(bytes(range(256)) * 4096).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    turn = {"role": "user", "content": [{"type": "image", "source": source}]}
    claude.messages.create(**(ASKED | {"messages": [turn]}))
    assert requests()[0].json()["messages"] == [turn]


def test_signed_thinking_arrives_untouched(claude, requests):
    thinking = {"type": "thinking", "thinking": "hm\u2026", "signature": "c2lnbmVk+/=="}
    text = {"type": "text", "text": "yes", "cache_control": {"type": "ephemeral"}}
    turns = [*HELLO, {"role": "assistant", "content": [thinking, text]}, *HELLO]
    claude.messages.create(**(ASKED | {"messages": turns}))
    assert requests()[0].json()["messages"] == turns


def test_an_alias_is_renamed_and_nothing_else(proxied, claude, requests):
    extra = {"metadata": {"model": "claude-alias"}, "big": 12345678901234567890, "float": 1.0}
    claude.messages.create(**(ASKED | {"model": "claude-alias"}))
    claude.messages.create(**(ASKED | {"model": "claude-alias"}), extra_body=extra)
    plain, rich = requests()
    assert plain.json() == ASKED
    assert rich.json() == ASKED | extra


def test_count_tokens(claude, requests):
    assert claude.messages.count_tokens(model="claude-test", messages=HELLO).input_tokens == 42
    assert requests()[0].target == "/v1/messages/count_tokens"


def test_batches(claude, requests):
    batch = claude.messages.batches.create(requests=[{"custom_id": "a", "params": ASKED}])
    assert (batch.id, batch.processing_status) == ("msgbatch_1", "in_progress")
    assert requests()[0].target.partition("?")[0] == "/v1/messages/batches"


def test_files(claude, requests):
    content = bytes(range(256)) * 100
    file = claude.beta.files.upload(file=("a.bin", content, "application/octet-stream"))
    assert file.size_bytes == len(content)
    assert [file.id for file in claude.beta.files.list()] == ["file_1"]
    assert requests()[0].parts()["file"] == content
    assert {request.path for request in requests()} == {"/v1/files"}


def test_models(claude):
    models = [model for model in claude.models.list() if model.id.startswith("claude-test")]
    assert [(model.id, model.display_name) for model in models] == [("claude-test", "Claude Test")]
    assert claude.models.retrieve("claude-test").id == "claude-test"


@pytest.mark.anyio
async def test_async(async_claude):
    message = await async_claude.messages.create(**ASKED)
    assert message.content[0].text == TEXT
    async with async_claude.messages.stream(**ASKED) as stream:
        words = [word async for word in stream.text_stream]
    assert "".join(words) == TEXT


def test_an_auth_token_is_replaced_as_well(base_url, requests):
    with anthropic.Anthropic(base_url=base_url, api_key=None, auth_token=CLIENT_KEY) as claude:
        assert claude.messages.create(**ASKED).content[0].text == TEXT
    assert len(requests()) == 1


def test_an_error_is_the_sdks_own(claude, requests, model):
    with pytest.raises(anthropic.AuthenticationError) as caught:
        claude.messages.create(**(ASKED | {"model": model("always-401")}))
    assert caught.value.body["error"]["type"] == "authentication_error"
    assert len(requests()) == 1


@pytest.mark.parametrize("kind", ["flaky-429", "flaky-500"])
def test_the_sdk_retries(claude, requests, model, kind):
    message = claude.messages.create(**(ASKED | {"model": model(kind)}))
    assert message.content[0].text == TEXT
    first, second = requests()
    assert first.body == second.body


def test_overload_passes_with_its_status(base_url, model):
    with anthropic.Anthropic(base_url=base_url, api_key="x", max_retries=0) as claude:
        with pytest.raises(anthropic.APIStatusError) as caught:
            claude.messages.create(**(ASKED | {"model": model("always-529")}))
    assert caught.value.status_code == 529


def test_a_cut_stream_is_an_error(claude, model):
    with pytest.raises((anthropic.APIError, httpx2.HTTPError)):
        list(claude.messages.create(**(ASKED | {"model": model("flaky-cut")}), stream=True))
