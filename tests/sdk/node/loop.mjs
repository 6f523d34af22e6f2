// A tool loop of the AI SDK. Takes what to run as JSON in its argument; prints what it saw as JSON.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';

const asked = JSON.parse(process.argv[2]);
const endpoint = { baseURL: `${asked.base_url}/v1`, apiKey: asked.key };
const models = {
  messages: () => createAnthropic(endpoint)(asked.model),
  chat: () => createOpenAI(endpoint).chat(asked.model),
  responses: () => createOpenAI(endpoint).responses(asked.model),
};

const calls = [];
const weather = tool({
  description: 'tells it',
  inputSchema: jsonSchema({
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  }),
  execute: (input) => {
    calls.push(input);
    return 'sunny';
  },
});

const options = {
  model: models[asked.api](),
  system: 'Be brief.',
  prompt: 'hello',
  tools: { weather },
  stopWhen: stepCountIs(5),
  maxOutputTokens: 64,
  maxRetries: 0,
  // OpenAI's own side keeps no history for a model of somebody else.
  providerOptions: { openai: { store: false } },
};
const errors = [];
const onError = ({ error }) => errors.push(String(error));
const result = asked.streamed ? streamText({ ...options, onError }) : await generateText(options);
const deltas = [];
if (asked.streamed) {
  for await (const delta of result.textStream) deltas.push(delta);
}
const steps = await result.steps;
const seen = {
  text: await result.text,
  deltas,
  reasons: steps.map((step) => step.finishReason),
  outputTokens: (await result.totalUsage).outputTokens,
  warnings: steps.flatMap((step) => step.warnings ?? []),
  calls,
  errors,
};
console.log(JSON.stringify(seen));
