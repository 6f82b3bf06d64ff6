// The official openai client against the bridge. Arguments: the bridge's address, a key, the
// stand-ins' address. Models are named PROVIDER/BEHAVIOUR: see stand_in.mjs.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const [base, key, stand] = process.argv.slice(2);
const gateway = base.startsWith('https:');
const client = new OpenAI({baseURL: base + '/v1', apiKey: key, maxRetries: 0});
const text = 'Hello from the stand-in: «ёж» "q" \\n.';
const ask = (model, more = {}) => ({model, messages: [{role: 'user', content: 'Hi'}], ...more});
const control = async () => (await fetch(stand + '/control')).json();
const until = async (what, holds) => {
  for (let i = 0; i < 300; ++i) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(what);
};
const gather = async (stream) => {
  const got = {text: '', thoughts: '', usage: undefined, reason: undefined, calls: [], pieces: 0};
  for await (const part of stream) {
    const choice = part.choices[0];
    got.text += choice?.delta.content ?? '';
    got.thoughts += choice?.delta.reasoning_content ?? '';
    if (choice?.delta.content) ++got.pieces;
    for (const call of choice?.delta.tool_calls ?? []) {
      got.calls[call.index] ??= {id: '', name: '', arguments: ''};
      got.calls[call.index].id += call.id ?? '';
      got.calls[call.index].name += call.function?.name ?? '';
      got.calls[call.index].arguments += call.function?.arguments ?? '';
    }
    got.reason = choice?.finish_reason ?? got.reason;
    got.usage = part.usage ?? got.usage;
  }
  return got;
};
const fails = (work, status, code) => assert.rejects(work, (error) => {
  assert.ok(error instanceof OpenAI.APIError, String(error));
  assert.equal(error.status, status, error.message);
  if (code) assert.equal(error.code, code, error.message);
  assert.ok(!error.message.includes('secret-key'));
  return true;
});
const stream = (model, more = {}) => client.chat.completions.create(ask(model, {stream: true, ...more}));

for (const provider of ['openai', 'ollama', 'anthropic']) {
  const of = (behaviour) => `${provider}/${behaviour}`;

  // whole and streamed
  const whole = await client.chat.completions.create(ask(of('ok')));
  assert.equal(whole.choices[0].message.content, text);
  assert.equal(whole.choices[0].finish_reason, 'stop');
  assert.deepEqual(whole.usage, {prompt_tokens: 7, completion_tokens: 9, total_tokens: 16});
  const streamed = await gather(await stream(of('ok'), {stream_options: {include_usage: true}}));
  assert.equal(streamed.text, text);
  assert.equal(streamed.pieces, 9);
  assert.equal(streamed.usage.completion_tokens, 9);
  const long = await gather(await stream(of('long')));
  assert.equal(long.text, ' word'.repeat(2000));

  // tools, thoughts
  const tools = [{type: 'function', function: {name: 'weather', parameters: {type: 'object'}}}];
  const called = await gather(await stream(of('tools'), {tools}));
  assert.equal(called.reason, 'tool_calls');
  assert.equal(called.calls.length, 1);
  assert.ok(called.calls[0].id);
  assert.equal(called.calls[0].name, 'weather');
  assert.deepEqual(JSON.parse(called.calls[0].arguments), {city: 'Tula'});
  const helper = await client.chat.completions.stream(ask(of('tools'), {tools})).finalChatCompletion();
  assert.equal(helper.choices[0].message.tool_calls[0].function.name, 'weather');
  const thought = await gather(await stream(of('think')));
  assert.equal(thought.thoughts, 'Hm, well.');
  assert.equal(thought.text, text);

  // whatever breaks, whole or streamed: an error, never a short answer
  const before = {'cut-before': 503, 'status-500': 502, 'status-401': 502, 'status-404': 502,
                  'status-503': 503, 'redirect': 502, 'cut-head': 502, 'garbage': 502, 'silent': 504};
  for (const [behaviour, status] of Object.entries(before)) {
    await fails(client.chat.completions.create(ask(of(behaviour))), status);
    await fails(stream(of(behaviour)).then(gather), status);
  }
  for (const behaviour of ['cut-middle', 'cut-end', 'error', 'silent-middle']) {
    await fails(client.chat.completions.create(ask(of(behaviour))),
                behaviour === 'silent-middle' ? 504 : 502);
    let said = '';
    await assert.rejects(async () => {
      for await (const part of await stream(of(behaviour))) said += part.choices[0]?.delta.content ?? '';
    }, (error) => {
      assert.ok(error instanceof OpenAI.APIError, `${behaviour}: ${error}`);
      assert.match(error.code, /^provider_/);
      return true;
    });
    assert.ok(said.startsWith('Hello from the'), said);
  }
  await fails(client.chat.completions.create(ask(of('status-400'))), 400, 'refused_by_provider');
  await assert.rejects(client.chat.completions.create(ask(of('status-429'))), (error) => {
    assert.equal(error.status, 429);
    assert.equal(error.headers.get('retry-after'), '7');
    return true;
  });

  // a client that goes away stops the provider within a second
  await until('what came before has ended', async () => (await control()).open === 0);
  const {closed} = await control();
  const controller = new AbortController();
  const endless = await client.chat.completions.create(
    ask(of('endless'), {stream: true}), {signal: controller.signal});
  let pieces = 0;
  for await (const _ of endless) if (++pieces === 5) break;
  await until('a break stops the provider', async () => (await control()).closed === closed + 1);
  const open = (await control()).open;
  const work = client.chat.completions.create(ask(of('endless')), {signal: controller.signal});
  void until('it is at work', async () => (await control()).open > open).then(() => controller.abort());
  await assert.rejects(work);
  await until('an abort stops the provider', async () => (await control()).closed === closed + 2);

  // the provider recovers before the client has to know
  const flaky = await client.chat.completions.create(ask(of('flaky')));
  assert.equal(flaky.choices[0].message.content, text);

  // what the provider hears: nothing of the client's fields
  const said = await client.chat.completions.create(
    ask(of('say'), {temperature: 0.5, max_tokens: 64, stop: ['x']}), {headers: {'x-private': 'mine'}});
  const body = JSON.parse(said.choices[0].message.content);
  assert.equal(body.model, 'say');
  assert.equal(body.stream, true);
  const headers = (await control()).headers;
  assert.equal(headers['x-private'], undefined);
  assert.equal(headers['user-agent'], 'framewall-backend');
  assert.equal(headers[provider === 'anthropic' ? 'x-api-key' : 'authorization'],
               provider === 'anthropic' ? 'secret-key' : 'Bearer secret-key');
  if (provider === 'anthropic') assert.equal(headers['anthropic-version'], '2023-06-01');

  // pictures
  const url = 'data:image/png;base64,iVBORw0KGgo=';
  const seen = await client.chat.completions.create({model: of('say'), messages: [
    {role: 'user', content: [{type: 'text', text: 'look'}, {type: 'image_url', image_url: {url}}]}]});
  assert.ok(seen.choices[0].message.content.includes('iVBORw0KGgo='));
  // A gateway's rules see such an address first.
  const address = client.chat.completions.create({model: of('say'), messages: [
    {role: 'user', content: [{type: 'image_url', image_url: {url: stand + '/foreign'}}]}]});
  await (gateway ? fails(address, 403) : fails(address, 400, 'invalid_image_url'));
}
assert.equal((await control()).foreign, 0);

// What is not known here passes on to a server of the same dialect.
const passed = await client.chat.completions.create(ask('openai/say', {logit_bias: {50256: -100}, verbosity: 'low'}));
const heard = JSON.parse(passed.choices[0].message.content);
assert.deepEqual(heard.logit_bias, {50256: -100});
assert.equal(heard.verbosity, 'low');
assert.deepEqual(heard.stream_options, {include_usage: true});

// Its retries help where waiting does.
const patient = new OpenAI({baseURL: base + '/v1', apiKey: key, maxRetries: 2});
await fails(patient.chat.completions.create(ask('no-such-model')), 404, 'model_not_found');
const recovered = await patient.chat.completions.create(ask('once/flaky-client'));
assert.equal(recovered.choices[0].message.content, text);

// Others that can answer, do; also while one of them is known to be down.
for (let i = 0; i < 6; ++i) {
  const answer = await gather(await stream('failover/ok'));
  assert.equal(answer.text, text);
}

// Deterministic requests of a model that keeps answers are answered once, and told again as a stream.
const asked = async () => (await control()).asked['/openai/v1/chat/completions ok'];
const first = await client.chat.completions.create(ask('cached', {temperature: 0}));
const asks = await asked();
const again = await gather(await stream('cached', {temperature: 0, stream_options: {include_usage: true}}));
assert.equal(again.text, first.choices[0].message.content);
assert.equal(again.pieces, 9);
assert.deepEqual(again.usage, first.usage);
assert.equal(await asked(), asks);
await client.chat.completions.create(ask('cached', {temperature: 0, seed: 1}));
assert.equal(await asked(), asks + 1);
await client.chat.completions.create(ask('cached'));
await client.chat.completions.create(ask('cached'));
assert.equal(await asked(), asks + 3);

// vectors
for (const model of ['openai/ok', 'ollama/ok']) {
  const base64 = await client.embeddings.create({model, input: ['ab', 'abc']});
  const float = await client.embeddings.create({model, input: 'ab', encoding_format: 'float'});
  assert.deepEqual(base64.data.map((one) => [...one.embedding]), [[2, 0.5, -1.25], [3, 0.5, -1.25]]);
  assert.deepEqual(float.data[0].embedding, [2, 0.5, -1.25]);
  assert.equal(float.usage.prompt_tokens, 3);
}
await fails(client.embeddings.create({model: 'anthropic/ok', input: 'ab'}), 400);
await fails(client.embeddings.create({model: 'nobody', input: 'ab'}), 404, 'model_not_found');

// models, in slashes and colons
const names = [];
for await (const model of client.models.list()) names.push(model.id);
assert.ok(names.includes('openai/ok') && names.includes('org/echo:1'), names);
assert.equal((await client.models.retrieve('org/echo:1')).id, 'org/echo:1');
await fails(client.models.retrieve('org/echo:2'), 404, 'model_not_found');

// responses
for (const provider of ['openai', 'ollama', 'anthropic']) {
  const answer = await client.responses.create({model: provider + '/ok', input: 'Hi', instructions: 'Be kind.'});
  assert.equal(answer.output_text, text);
  assert.equal(answer.status, 'completed');
  assert.equal(answer.instructions, 'Be kind.');
  assert.equal(answer.usage.output_tokens, 9);
  const seen = [];
  let pieces = '';
  let last;
  for await (const event of await client.responses.create({model: provider + '/ok', input: [{role: 'user', content: 'Hi'}], stream: true})) {
    if (seen.at(-1) !== event.type) seen.push(event.type);
    if (event.type === 'response.output_text.delta') pieces += event.delta;
    last = event;
  }
  assert.equal(pieces, text);
  assert.deepEqual(seen, ['response.created', 'response.in_progress', 'response.output_item.added',
    'response.content_part.added', 'response.output_text.delta', 'response.output_text.done',
    'response.content_part.done', 'response.output_item.done', 'response.completed']);
  assert.equal(last.response.output[0].content[0].text, text);
  const tools = [{type: 'function', name: 'weather', parameters: {type: 'object'}, strict: false}];
  const called = await client.responses.stream({model: provider + '/tools', input: 'Hi', tools}).finalResponse();
  const call = called.output.find((item) => item.type === 'function_call');
  assert.equal(call.name, 'weather');
  assert.deepEqual(JSON.parse(call.arguments), {city: 'Tula'});
  await client.responses.create({model: provider + '/ok', input: [
    {role: 'user', content: 'Hi'}, call, {type: 'function_call_output', call_id: call.call_id, output: '3 °C'}]});
  await assert.rejects(async () => {
    for await (const _ of await client.responses.create({model: provider + '/cut-middle', input: 'Hi', stream: true}));
  }, (error) => error instanceof OpenAI.APIError);
}
await fails(client.responses.create({model: 'openai/ok', input: 'Hi', previous_response_id: 'resp_1'}), 400, 'unsupported_parameter');
for (const more of [{store: true}, {background: true}, {conversation: 'conv_1'}, {prompt: {id: 'pmpt_1'}},
  {input: [{type: 'item_reference', id: 'msg_1'}]}, {tools: [{type: 'web_search'}]}]) {
  await fails(client.responses.create({model: 'openai/ok', input: 'Hi', ...more}), 400, 'unsupported_parameter');
}
await fails(client.responses.retrieve('resp_1'), 404);

// errors of the router in the same words
const wrong = new OpenAI({baseURL: base + '/v1', apiKey: 'none', maxRetries: 0, defaultHeaders: {authorization: null}});
await assert.rejects(wrong.chat.completions.create(ask('openai/ok')), (error) => error.status === 401 && Boolean(error.message));
await fails(client.post('/nothing'), 404);

// Anthropic's client hears in its own.
const anthropic = new Anthropic({baseURL: base, apiKey: null, authToken: key, maxRetries: 0});
await assert.rejects(
  anthropic.messages.create({model: 'openai/ok', max_tokens: 9, messages: [{role: 'user', content: 'Hi'}]}),
  (error) => error instanceof Anthropic.NotFoundError && error.error.error.type === 'not_found_error');
const none = await fetch(base + '/v1/messages', {
  method: 'POST', headers: {'x-api-key': key, authorization: 'Bearer ' + key, 'content-type': 'application/json'}, body: '{}'});
assert.equal(none.status, 404);
assert.deepEqual(Object.keys(await none.json()), ['type', 'error']);
console.log('openai is satisfied');
