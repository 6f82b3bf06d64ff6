// The official ollama client against the bridge; arguments and models as in openai_client.mjs.
import assert from 'node:assert/strict';
import {Ollama} from 'ollama';

const [base, key, stand] = process.argv.slice(2);
const headers = {authorization: 'Bearer ' + key};
const text = 'Hello from the stand-in: «ёж» "q" \\n.';
const control = async () => (await fetch(stand + '/control')).json();
const until = async (what, holds) => {
  for (let i = 0; i < 300; ++i) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(what);
};

for (const host of [base, base + '/ollama']) {
  const client = new Ollama({host, headers});
  const ask = (model, more = {}) => ({model, messages: [{role: 'user', content: 'Hi'}], ...more});
  const fails = (work, status, pattern = /./) => assert.rejects(work, (error) => {
    assert.equal(error.status_code, status, error.message);
    assert.match(error.error, pattern);
    return true;
  });
  for (const provider of ['openai', 'ollama', 'anthropic']) {
    const of = (behaviour) => `${provider}/${behaviour}`;
    const whole = await client.chat(ask(of('ok')));
    assert.equal(whole.message.content, text);
    assert.equal(whole.done, true);
    assert.equal(whole.eval_count, 9);
    const gather = async (stream) => {
      const got = {text: '', thinking: '', calls: [], last: undefined};
      for await (const part of stream) {
        got.text += part.message?.content ?? part.response ?? '';
        got.thinking += part.message?.thinking ?? '';
        got.calls.push(...(part.message?.tool_calls ?? []));
        got.last = part;
      }
      return got;
    };
    const streamed = await gather(await client.chat(ask(of('ok'), {stream: true})));
    assert.equal(streamed.text, text);
    assert.equal(streamed.last.done, true);
    assert.equal(streamed.last.done_reason, 'stop');
    assert.equal(streamed.last.eval_count, 9);
    assert.equal((await client.generate({model: of('ok'), prompt: 'Hi'})).response, text);
    assert.equal((await gather(await client.generate({model: of('ok'), prompt: 'Hi', stream: true}))).text, text);
    const tools = [{type: 'function', function: {name: 'weather', parameters: {type: 'object', properties: {}}}}];
    const called = await gather(await client.chat(ask(of('tools'), {stream: true, tools})));
    assert.deepEqual(called.calls.map((call) => call.function), [{name: 'weather', arguments: {city: 'Tula'}}]);
    assert.equal((await gather(await client.chat(ask(of('think'), {stream: true})))).thinking, 'Hm, well.');

    for (const [behaviour, status] of [['cut-before', 503], ['status-500', 502], ['silent', 504]]) {
      await fails(client.chat(ask(of(behaviour))), status);
      await fails(client.chat(ask(of(behaviour), {stream: true})), status);
    }
    for (const behaviour of ['cut-middle', 'cut-end', 'error', 'silent-middle']) {
      let said = '';
      await assert.rejects(async () => {
        for await (const part of await client.chat(ask(of(behaviour), {stream: true}))) said += part.message.content;
      }, (error) => {
        assert.doesNotMatch(error.message, /Did not receive done/);
        return true;
      });
      assert.ok(said.startsWith('Hello from the'), said);
    }
    await until('what came before has ended', async () => (await control()).open === 0);
    const {closed} = await control();
    const endless = await client.chat(ask(of('endless'), {stream: true}));
    let pieces = 0;
    await assert.rejects(async () => {
      for await (const _ of endless) if (++pieces === 5) client.abort();
    }, {name: 'AbortError'});
    await until('abort() stops the provider', async () => (await control()).closed === closed + 1);
  }

  // Of the same dialect what is not known here is passed on.
  const said = await client.chat(ask('ollama/say', {keep_alive: '7m', options: {mirostat: 2}, think: true}));
  const body = JSON.parse(said.message.content);
  assert.equal(body.keep_alive, '7m');
  assert.equal(body.options.mirostat, 2);
  assert.equal(body.think, true);
  const raw = JSON.parse((await client.generate({model: 'ollama/say', prompt: 'Hi', raw: true, suffix: 'x'})).response);
  assert.equal(raw.raw, true);
  assert.equal(raw.suffix, 'x');

  assert.deepEqual((await client.embed({model: 'ollama/ok', input: ['ab', 'abc']})).embeddings, [[2, 0.5, -1.25], [3, 0.5, -1.25]]);
  assert.deepEqual((await client.embed({model: 'openai/ok', input: 'ab'})).embeddings, [[2, 0.5, -1.25]]);
  assert.deepEqual((await client.embeddings({model: 'ollama/ok', prompt: 'ab'})).embedding, [2, 0.5, -1.25]);

  const {models} = await client.list();
  assert.ok(models.some((model) => model.name === 'openai/ok'));
  assert.equal((await client.show({model: 'org/echo:1'})).details.family, 'echo');
  assert.deepEqual((await client.ps()).models, []);
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
  assert.equal((await client.chat(ask('openai/ok:latest'))).message.content, text);
  await fails(client.chat(ask('nobody')), 404, /nobody/);
  await fails(client.show({model: 'nobody'}), 404, /nobody/);
  await fails(client.pull({model: 'x'}), 403);
  await fails(client.push({model: 'x'}), 403);
  await fails(client.create({model: 'x', from: 'y'}), 403);
  await fails(client.delete({model: 'x'}), 403);
  await fails(new Ollama({host}).chat(ask('openai/ok')), 401);
}
console.log('ollama is satisfied');
