"""The OpenAI SDK through Pillion: what it returns, and what reached the upstream."""

import base64
import json

import openai
import pytest
from upstream import TEXT, USAGE

HELLO = [{"role": "user", "content": "hello"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


def test_chat(chat, requests):
    completion = chat.chat.completions.create(model="gpt-test", messages=HELLO)
    assert completion.choices[0].message.content == TEXT
    assert completion.usage.total_tokens == USAGE["total_tokens"]
    [request] = requests()
    assert (request.method, request.target) == ("POST", "/v1/chat/completions")
    assert request.json() == {"messages": HELLO, "model": "gpt-test"}
    assert request.header("x-stainless-lang") == "python"


def test_chat_streamed(chat, requests):
    stream = chat.chat.completions.create(model="gpt-test", messages=HELLO, stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    # Nobody asked for usage, so no chunk without choices may come, whatever Pillion asked for.
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert len(requests()) == 1


def test_chat_streamed_with_usage(chat):
    stream = chat.chat.completions.create(
        model="gpt-test", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream
    assert (last.choices, last.usage.completion_tokens) == ([], USAGE["completion_tokens"])


def test_chat_stream_helper(chat):
    with chat.chat.completions.stream(model="gpt-test", messages=HELLO) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_completion().choices[0].message.content == TEXT
    assert "content.delta" in kinds and "content.done" in kinds


def test_tools(chat, requests):
    completion = chat.chat.completions.create(model="gpt-test", messages=HELLO, tools=[WEATHER])
    call = completion.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Ulm"})
    answer = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    turns = [*HELLO, completion.choices[0].message.model_dump(exclude_none=True), answer]
    chat.chat.completions.create(model="gpt-test", messages=turns)
    assert requests()[1].json()["messages"] == turns


def test_tools_streamed(chat):
    with chat.chat.completions.stream(
        model="gpt-test", messages=HELLO, tools=[WEATHER]
    ) as stream:
        stream.until_done()
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Ulm"})


def test_images(chat, requests):
    image = base64.b64encode(bytes(range(256)) * 4096).decode()
    parts = [
        {"type": "text", "text": "what is this? \u00e4\U0001f642"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}},
    ]
    messages = [{"role": "user", "content": parts}]
    chat.chat.completions.create(model="gpt-test", messages=messages)
    assert requests()[0].json()["messages"] == messages


def test_responses(chat, requests):
    response = chat.responses.create(model="gpt-test", input="hello")
    assert (response.output_text, response.usage.output_tokens) == (TEXT, 7)
    assert requests()[0].target == "/v1/responses"


def test_responses_streamed(chat):
    with chat.responses.stream(model="gpt-test", input="hello") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == TEXT
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


def test_embeddings(chat, requests):
    answer = chat.embeddings.create(model="gpt-test", input=["a", "b"])
    assert [item.embedding for item in answer.data] == [[0.5, -2.0]] * 2
    assert requests()[0].target == "/v1/embeddings"


def test_files(chat, requests):
    content = bytes(range(256)) * 100
    file = chat.files.create(file=("a.bin", content), purpose="user_data")
    assert (file.id, file.bytes) == ("file-1", len(content))
    assert [file.id for file in chat.files.list()] == ["file-1"]
    assert chat.files.delete("file-1").deleted
    upload, *_ = requests()
    assert upload.parts() == {"purpose": b"user_data", "file": content}
    assert [request.method for request in requests()] == ["POST", "GET", "DELETE"]


def test_transcription(chat, requests):
    content = b"RIFF" + bytes(10_000)
    answer = chat.audio.transcriptions.create(model="whisper-test", file=("a.wav", content))
    assert answer.text == f"{len(content)} bytes for whisper-test"
    assert requests()[0].parts()["file"] == content


def test_models(chat):
    assert [model.id for model in chat.models.list() if model.id.startswith("gpt")] == ["gpt-test"]
    assert chat.models.retrieve("gpt-test").id == "gpt-test"


@pytest.mark.anyio
async def test_async(async_chat):
    completion = await async_chat.chat.completions.create(model="gpt-test", messages=HELLO)
    assert completion.choices[0].message.content == TEXT
    stream = await async_chat.chat.completions.create(
        model="gpt-test", messages=HELLO, stream=True
    )
    words = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(words) == TEXT


def test_an_error_is_the_sdks_own(chat, requests, model):
    with pytest.raises(openai.AuthenticationError) as caught:
        chat.chat.completions.create(model=model("always-401"), messages=HELLO)
    assert caught.value.body["message"] == "bad key"
    assert len(requests()) == 1


@pytest.mark.parametrize("kind", ["flaky-429", "flaky-500"])
def test_the_sdk_retries(chat, requests, model, kind):
    completion = chat.chat.completions.create(model=model(kind), messages=HELLO)
    assert completion.choices[0].message.content == TEXT
    first, second = requests()
    assert first.body == second.body
    # The SDK's count of its retries is the client's header, and arrives.
    counts = [request.header("x-stainless-retry-count") for request in (first, second)]
    assert counts == ["0", "1"]


def test_retry_headers_pass(base_url, model):
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="x", max_retries=0) as chat:
        with pytest.raises(openai.RateLimitError) as caught:
            chat.chat.completions.create(model=model("flaky-429"), messages=HELLO)
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "20")


def test_should_retry_passes(chat, requests, model):
    with pytest.raises(openai.InternalServerError):
        chat.chat.completions.create(model=model("final-500"), messages=HELLO)
    assert len(requests()) == 1


def test_a_cut_stream_is_an_error(chat, model):
    stream = chat.chat.completions.create(
        model=model("flaky-cut"), messages=HELLO, stream=True
    )
    with pytest.raises(openai.APIError):
        list(stream)


def test_leaving_a_stream_cancels_the_upstream(base_url, upstream, model):
    upstream.left.clear()
    with openai.OpenAI(base_url=f"{base_url}/v1", api_key="x") as chat:
        stream = chat.chat.completions.create(
            model=model("endless"), messages=HELLO, stream=True
        )
        for _, chunk in zip(range(20), stream):
            assert chunk.choices
        stream.close()
    assert upstream.left.wait(10)
