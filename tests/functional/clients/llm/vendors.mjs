// The stand-ins satisfy the vendors' own clients, so that nothing is tested against our own
// misreading of an API. Argument: the stand-ins' address.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import {Ollama} from 'ollama';
import OpenAI from 'openai';

const base = process.argv[2];
const text = 'Hello from the stand-in: «ёж» "q" \\n.';
const fails = async (work, pattern) => assert.rejects(work, (error) => {
  assert.match(String(error.message), pattern);
  return true;
});

const openai = new OpenAI({baseURL: base + '/openai/v1', apiKey: 'k', maxRetries: 0});
const ask = {messages: [{role: 'user', content: 'Hi'}]};
{
  const whole = await openai.chat.completions.create({...ask, model: 'ok'});
  assert.equal(whole.choices[0].message.content, text);
  let streamed = '';
  let usage;
  for await (const part of await openai.chat.completions.create(
    {...ask, model: 'ok', stream: true, stream_options: {include_usage: true}})) {
    streamed += part.choices[0]?.delta.content ?? '';
    usage = part.usage ?? usage;
  }
  assert.equal(streamed, text);
  assert.equal(usage.completion_tokens, 9);
  const called = await openai.chat.completions.stream({...ask, model: 'tools'}).finalChatCompletion();
  assert.equal(called.choices[0].message.tool_calls[0].function.arguments, '{"city":"Tula"}');
  await fails((async () => {
    for await (const _ of await openai.chat.completions.create({...ask, model: 'error', stream: true}));
  })(), /on fire/);
  const vectors = await openai.embeddings.create({model: 'ok', input: ['ab', 'abc']});
  assert.deepEqual(vectors.data.map((one) => one.embedding), [[2, 0.5, -1.25], [3, 0.5, -1.25]]);
}

const ollama = new Ollama({host: base + '/ollama'});
{
  const whole = await ollama.chat({...ask, model: 'ok'});
  assert.equal(whole.message.content, text);
  let streamed = '';
  let last;
  for await (const part of await ollama.chat({...ask, model: 'ok', stream: true})) {
    streamed += part.message.content;
    last = part;
  }
  assert.equal(streamed, text);
  assert.equal(last.eval_count, 9);
  assert.equal((await ollama.generate({model: 'ok', prompt: 'Hi'})).response, text);
  for await (const part of await ollama.chat({...ask, model: 'tools', stream: true})) {
    if (part.message.tool_calls) last = part;
  }
  assert.deepEqual(last.message.tool_calls[0].function.arguments, {city: 'Tula'});
  await fails((async () => {
    for await (const _ of await ollama.chat({...ask, model: 'error', stream: true}));
  })(), /on fire/);
  assert.deepEqual((await ollama.embed({model: 'ok', input: 'ab'})).embeddings, [[2, 0.5, -1.25]]);
}

const anthropic = new Anthropic({baseURL: base + '/anthropic', apiKey: 'k', maxRetries: 0});
{
  const whole = await anthropic.messages.create({...ask, model: 'ok', max_tokens: 99});
  assert.equal(whole.content[0].text, text);
  const streamed = await anthropic.messages.stream({...ask, model: 'ok', max_tokens: 99}).finalMessage();
  assert.equal(streamed.content[0].text, text);
  assert.equal(streamed.usage.output_tokens, 9);
  const called = await anthropic.messages.stream({...ask, model: 'tools', max_tokens: 99}).finalMessage();
  assert.deepEqual(called.content[1].input, {city: 'Tula'});
  assert.equal(called.stop_reason, 'tool_use');
  await fails(anthropic.messages.stream({...ask, model: 'error', max_tokens: 99}).finalMessage(), /on fire/);
}
console.log('vendors are satisfied');
