"""The vendors' SDKs through Pillion, with an upstream that speaks another dialect than theirs."""

import json

import anthropic
import openai
import pydantic
import pytest
from upstream import TEXT

HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
RESPONSES_TOOL = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
MESSAGES_TOOL = {"name": "weather", "description": "tells it", "input_schema": SCHEMA}
PATHS = {
    "to-chat": "/v1/chat/completions",
    "to-responses": "/v1/responses",
    "to-messages": "/v1/messages",
}
pytestmark = pytest.mark.usefixtures("proxied")


@pytest.fixture(params=["to-chat", "to-responses"])
def for_claude(request, model):
    return f"{model('m')}-{request.param}"


@pytest.fixture(params=["to-messages", "to-responses"])
def for_chat(request, model):
    return f"{model('m')}-{request.param}"


@pytest.fixture(params=["to-chat", "to-messages"])
def for_responses(request, model):
    return f"{model('m')}-{request.param}"


def arrived_at(requests, model: str) -> list:
    """The bodies that arrived, all of them at the one path that the upstream speaks."""
    [target] = {request.target for request in requests()}
    assert target == next(path for end, path in PATHS.items() if model.endswith(end))
    return [request.json() for request in requests()]


# === the Anthropic SDK ===


def test_messages(claude, for_claude, requests):
    message = claude.messages.create(model=for_claude, max_tokens=64, messages=HELLO, system="s")
    assert [block.text for block in message.content] == [TEXT]
    assert (message.stop_reason, message.role, message.type) == ("end_turn", "assistant", "message")
    usage = message.usage
    assert usage.input_tokens + (usage.cache_read_input_tokens or 0) == 11
    assert usage.output_tokens == 7
    [body] = arrived_at(requests, for_claude)
    assert body["model"] == for_claude


def test_messages_streamed(claude, for_claude):
    with claude.messages.stream(model=for_claude, max_tokens=64, messages=HELLO) as stream:
        assert "".join(stream.text_stream) == TEXT
        final = stream.get_final_message()
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 7)


@pytest.mark.anyio
async def test_messages_async(async_claude, for_claude):
    message = await async_claude.messages.create(model=for_claude, max_tokens=64, messages=HELLO)
    assert message.content[0].text == TEXT
    async with async_claude.messages.stream(
        model=for_claude, max_tokens=64, messages=HELLO
    ) as stream:
        assert [text async for text in stream.text_stream] == ["Hello", " from", " the",
                                                               " upstream ", "\u2713"]


@pytest.mark.parametrize("streamed", [False, True])
def test_messages_tool_loop(claude, for_claude, requests, streamed):
    asked = {"model": for_claude, "max_tokens": 64, "tools": [MESSAGES_TOOL]}
    turns = list(HELLO)

    def answer():
        if not streamed:
            return claude.messages.create(messages=turns, **asked)
        with claude.messages.stream(messages=turns, **asked) as stream:
            return stream.get_final_message()

    first = answer()
    [call] = first.content
    assert (first.stop_reason, call.type, call.name) == ("tool_use", "tool_use", "weather")
    assert call.input == {"city": "Ulm"}
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    turns += [
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {"role": "user", "content": [result]},
    ]
    assert answer().content[0].text == TEXT
    _, second = arrived_at(requests, for_claude)
    assert "sunny" in json.dumps(second)


def test_messages_errors(claude, model, requests):
    with pytest.raises(anthropic.AuthenticationError) as caught:
        claude.messages.create(model=model("always-401") + "-to-chat", max_tokens=9, messages=HELLO)
    assert caught.value.body["error"] == {"type": "authentication_error", "message": "bad key"}
    flaky = model("flaky-429") + "-to-chat"
    message = claude.messages.create(model=flaky, max_tokens=9, messages=HELLO)
    assert message.content[0].text == TEXT
    assert len([request for request in requests() if request.json()["model"] == flaky]) == 2


def test_messages_cut(claude, model):
    """A stream that is cut is an error, not a short answer."""
    cut = model("flaky-cut") + "-to-chat"
    with pytest.raises(anthropic.APIError):
        with claude.messages.stream(model=cut, max_tokens=9, messages=HELLO) as stream:
            list(stream)


def test_count_tokens(claude, model):
    raw = claude.messages.with_raw_response.count_tokens(
        model=model("m") + "-to-chat", messages=HELLO
    )
    assert raw.headers["x-pillion-estimated"] == "input_tokens"
    assert raw.parse().input_tokens > 0


# === the OpenAI SDK, chat completions ===


def test_chat(chat, for_chat, requests):
    completion = chat.chat.completions.create(model=for_chat, messages=HELLO)
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
    assert completion.usage.completion_tokens == 7
    arrived_at(requests, for_chat)


def test_chat_streamed(chat, for_chat):
    with chat.chat.completions.stream(
        model=for_chat, messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.done" in kinds
    assert (final.choices[0].message.content, final.usage.completion_tokens) == (TEXT, 7)


@pytest.mark.anyio
async def test_chat_async(async_chat, for_chat):
    stream = await async_chat.chat.completions.create(model=for_chat, messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT


@pytest.mark.parametrize("streamed", [False, True])
def test_chat_tool_loop(chat, for_chat, requests, streamed):
    turns = list(HELLO)

    def answer():
        asked = {"model": for_chat, "messages": turns, "tools": [CHAT_TOOL]}
        if not streamed:
            return chat.chat.completions.create(**asked).choices[0]
        with chat.chat.completions.stream(**asked) as stream:
            return stream.get_final_completion().choices[0]

    first = answer()
    [call] = first.message.tool_calls
    assert (first.finish_reason, call.function.name) == ("tool_calls", "weather")
    assert json.loads(call.function.arguments) == {"city": "Ulm"}
    turns += [
        first.message.to_dict(),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    assert answer().message.content == TEXT
    _, second = arrived_at(requests, for_chat)
    assert "sunny" in json.dumps(second)


class City(pydantic.BaseModel):
    city: str


def test_chat_structured(chat, for_chat, requests):
    """The upstream is asked for the schema; what it says instead is the SDK's to judge."""
    with pytest.raises(pydantic.ValidationError):
        chat.chat.completions.parse(model=for_chat, messages=HELLO, response_format=City)
    [body] = arrived_at(requests, for_chat)
    assert '"city"' in json.dumps(body.get("output_config") or body.get("text"))


def test_chat_errors(chat, model):
    with pytest.raises(openai.AuthenticationError):
        chat.chat.completions.create(model=model("always-401") + "-to-messages", messages=HELLO)
    flaky = model("flaky-500") + "-to-messages"
    completion = chat.chat.completions.create(model=flaky, messages=HELLO)
    assert completion.choices[0].message.content == TEXT
    with pytest.raises(openai.BadRequestError, match="n: "):
        chat.chat.completions.create(model=model("m") + "-to-messages", messages=HELLO, n=2)


# === the OpenAI SDK, responses ===


def test_responses(chat, for_responses, requests):
    response = chat.responses.create(model=for_responses, input="hello", instructions="s")
    assert (response.output_text, response.status) == (TEXT, "completed")
    assert response.usage.output_tokens == 7
    arrived_at(requests, for_responses)


def test_responses_streamed(chat, for_responses):
    with chat.responses.stream(model=for_responses, input="hello") as stream:
        numbers = [event.sequence_number for event in stream]
        final = stream.get_final_response()
    assert numbers == list(range(len(numbers)))
    assert (final.output_text, final.usage.output_tokens) == (TEXT, 7)


@pytest.mark.parametrize("streamed", [False, True])
def test_responses_tool_loop(chat, for_responses, requests, streamed):
    items = [{"role": "user", "content": "hello"}]

    def answer():
        asked = {"model": for_responses, "input": items, "tools": [RESPONSES_TOOL], "store": False}
        if not streamed:
            return chat.responses.create(**asked)
        with chat.responses.stream(**asked) as stream:
            for _ in stream:
                pass
            return stream.get_final_response()

    first = answer()
    [call] = [item for item in first.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Ulm"})
    items += [item.to_dict() for item in first.output]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    assert answer().output_text == TEXT
    _, second = arrived_at(requests, for_responses)
    assert "sunny" in json.dumps(second)
