// Clients whose budget is used up: the openai client does not try again where it is told that waiting
// does not help. Arguments: the bridge's address, a key without a budget.
import assert from 'node:assert/strict';
import {Ollama} from 'ollama';
import OpenAI from 'openai';

const [base, key] = process.argv.slice(2);
let sent = 0;
const counting = (...all) => {
  ++sent;
  return fetch(...all);
};
const openai = new OpenAI({baseURL: base + '/v1', apiKey: key, maxRetries: 2, fetch: counting});
const messages = [{role: 'user', content: 'Hi'}];
for (const stream of [false, true]) {
  sent = 0;
  await assert.rejects(openai.chat.completions.create({model: 'openai/ok', messages, stream}), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.code, 'token_budget_exceeded');
    assert.equal(error.headers.get('x-should-retry'), 'false');
    return true;
  });
  assert.equal(sent, 1);
}
const ollama = new Ollama({host: base, headers: {authorization: 'Bearer ' + key}});
await assert.rejects(ollama.chat({model: 'openai/ok', messages}), (error) => {
  assert.equal(error.status_code, 429);
  assert.match(error.error, /tokens/);
  return true;
});
console.log('satisfied');
