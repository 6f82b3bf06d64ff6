// 100 prompts of source code, SQL, shell, HTML, Russian and mixtures, by the official clients through
// a gateway that blocks: each arrives as it was written, and comes back. Arguments: address, key, the
// prompts' file (payloads as JSON strings, a line each).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {Ollama} from 'ollama';
import OpenAI from 'openai';

const [base, key, file] = process.argv.slice(2);
const openai = new OpenAI({baseURL: base + '/v1', apiKey: key, maxRetries: 0});
const ollama = new Ollama({host: base + '/ollama', headers: {authorization: 'Bearer ' + key}});
const prompts = fs.readFileSync(file, 'utf8').split('\n').flatMap((line) => {
  const found = /^ {2}- \{payload: (".*")\}$/.exec(line);
  return found ? [JSON.parse(found[1])] : [];
});
assert.ok(prompts.length >= 100, `${prompts.length} prompts`);

// The stand-in answers with the body that it was sent.
const heard = (text) => JSON.parse(text).messages.at(-1).content;
const gather = async (stream, take) => {
  let text = '';
  for await (const part of stream) text += take(part) ?? '';
  return text;
};
const ways = {
  chat: async (content) => {
    const answer = await openai.chat.completions.create(
      {model: 'openai/say', messages: [{role: 'user', content}]});
    return heard(answer.choices[0].message.content);
  },
  streamed: async (content) => heard(await gather(
    await openai.chat.completions.create(
      {model: 'openai/say', messages: [{role: 'user', content}], stream: true}),
    (part) => part.choices[0]?.delta.content)),
  responses: async (input) =>
    heard((await openai.responses.create({model: 'openai/say', input})).output_text),
  ollama: async (content) => heard((await ollama.chat(
    {model: 'ollama/say', messages: [{role: 'user', content}]})).message.content),
  generate: async (prompt) => JSON.parse(await gather(
    await ollama.generate({model: 'ollama/say', prompt, stream: true}),
    (part) => part.response)).prompt,
};
let failed = 0;
for (const [way, ask] of Object.entries(ways)) {
  for (const prompt of prompts) {
    try {
      assert.equal(await ask(prompt), prompt);
    } catch (error) {
      ++failed;
      console.log(`${way}: ${JSON.stringify(prompt)}: ${error.message}`);
    }
  }
}
// An attack anywhere else in the same requests is refused.
const attack = "1' UNION SELECT password FROM users; -- <script>alert(document.cookie)</script>";
for (const more of [{user: attack}, {metadata: {a: attack}}, {stop: [attack]}]) {
  await assert.rejects(
    openai.chat.completions.create({model: 'openai/say', messages: [{role: 'user', content: 'Hi'}], ...more}),
    (error) => error instanceof OpenAI.APIError && error.status === 403 && Boolean(error.error.message));
}
await assert.rejects(openai.chat.completions.create(
  {model: 'openai/say', messages: [{role: 'user', content: 'Hi'}]}, {query: {q: attack}}), {status: 403});
await assert.rejects(openai.chat.completions.create(
  {model: 'openai/say', messages: [{role: 'user', content: 'Hi'}]}, {headers: {'user-agent': 'sqlmap/1.7'}}), {status: 403});
await assert.rejects(
  ollama.chat({model: 'ollama/say', messages: [{role: 'user', content: 'Hi'}], keep_alive: attack}),
  (error) => error.status_code === 403);
const below = await fetch(base + '/v1/chat/completions/' + encodeURIComponent(attack), {
  method: 'POST', headers: {authorization: 'Bearer ' + key, 'content-type': 'application/json'},
  body: JSON.stringify({model: 'openai/say', messages: [{role: 'user', content: 'Hi'}]})});
assert.equal(below.status, 403);
assert.equal(failed, 0, `${failed} of ${prompts.length * Object.keys(ways).length} failed`);
console.log(`${prompts.length} prompts: satisfied`);
