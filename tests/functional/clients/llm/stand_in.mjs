// Model servers for tests: OpenAI's API below /openai, Ollama's below /ollama, Anthropic's below
// /anthropic. The model's name says what happens, so that each way to fail can be asked for:
//
//   ok              words, one each 2 ms                  tools     a function call in pieces
//   status-N        refused with that status              think     thoughts before the words
//   cut-before      closed before a head                  cut-head  behind the head
//   cut-middle      reset behind three words              cut-end   whole but for the end mark
//   error           an error in the stream, behind three words
//   silent          a request that is never answered      silent-middle  the same behind three words
//   endless         words until the client goes           flaky     refused once, then as ok
//   redirect        elsewhere                             say       what was asked, as JSON
//   garbage         no JSON                               long      2000 words at once
//   tells-key       refused in words that repeat our key
//
// GET /control tells what happened: {"open": streams, "closed": by clients, "asked": {model: N},
// "foreign": what came where a redirect led}. Prints its port.
import http from 'node:http';
import https from 'node:https';
import fs from 'node:fs';

const words = ['Hello', ' from', ' the', ' stand-in', ':', ' «ёж»', ' "q"', ' \\n', '.'];
const control = {open: 0, closed: 0, asked: {}, foreign: 0, headers: {}};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What each API puts on the wire.
const dialects = {
  openai: {
    type: 'text/event-stream',
    begin: (m) => [chunk(m, {role: 'assistant', content: ''})],
    word: (m, w) => chunk(m, {content: w}),
    think: (m, w) => chunk(m, {reasoning_content: w}),
    tools: (m) => [
      chunk(m, {tool_calls: [{index: 0, id: 'call_1', type: 'function',
                              function: {name: 'weather', arguments: ''}}]}),
      chunk(m, {tool_calls: [{index: 0, function: {arguments: '{"city":'}}]}),
      chunk(m, {tool_calls: [{index: 0, function: {arguments: '"Tula"}'}}]}),
    ],
    end: (m, n, reason) => [
      chunk(m, {}, reason ?? 'stop'),
      sse({id: 'c1', object: 'chat.completion.chunk', created: 1, model: m, choices: [],
           usage: {prompt_tokens: 7, completion_tokens: n, total_tokens: n + 7}}),
    ],
    mark: () => 'data: [DONE]\n\n',
    error: () => sse({error: {message: 'the gpu is on fire', type: 'server_error', code: 'gpu'}}),
    toolReason: 'tool_calls',
    refusal: (status) => ({error: {message: `refused with ${status}`, type: 't', code: 'c', param: null}}),
    whole: (m, text) => ({
      id: 'c1', object: 'chat.completion', created: 1, model: m,
      choices: [{index: 0, message: {role: 'assistant', content: text, refusal: null},
                 logprobs: null, finish_reason: 'stop'}],
      usage: {prompt_tokens: 7, completion_tokens: words.length, total_tokens: 7 + words.length},
    }),
  },
  ollama: {
    type: 'application/x-ndjson',
    begin: () => [],
    word: (m, w, generate) => line(generate ? {model: m, created_at: now(), response: w, done: false}
                                            : message(m, {role: 'assistant', content: w})),
    think: (m, w) => line(message(m, {role: 'assistant', content: '', thinking: w})),
    tools: (m) => [line(message(m, {role: 'assistant', content: '', tool_calls: [
      {function: {name: 'weather', arguments: {city: 'Tula'}}}]}))],
    end: () => [],
    mark: (m, n, generate) => line({
      model: m, created_at: now(), ...(generate ? {response: ''} : {message: {role: 'assistant', content: ''}}),
      done: true, done_reason: 'stop', total_duration: 1, load_duration: 1,
      prompt_eval_count: 7, prompt_eval_duration: 1, eval_count: n, eval_duration: 1}),
    error: () => line({error: 'the gpu is on fire'}),
    refusal: (status) => ({error: `refused with ${status}`}),
    whole: (m, text, generate) => ({
      model: m, created_at: now(), ...(generate ? {response: text} : {message: {role: 'assistant', content: text}}),
      done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: words.length}),
  },
  anthropic: {
    type: 'text/event-stream',
    begin: (m) => [
      event({type: 'message_start', message: {
        id: 'm1', type: 'message', role: 'assistant', model: m, content: [], stop_reason: null,
        stop_sequence: null, usage: {input_tokens: 7, output_tokens: 1}}}),
      event({type: 'content_block_start', index: 0, content_block: {type: 'text', text: ''}}),
      event({type: 'ping'}),
    ],
    word: (m, w) => event({type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: w}}),
    think: (m, w) => event({type: 'content_block_delta', index: 0,
                            delta: {type: 'thinking_delta', thinking: w}}),
    tools: () => [
      event({type: 'content_block_stop', index: 0}),
      event({type: 'content_block_start', index: 1,
             content_block: {type: 'tool_use', id: 'toolu_1', name: 'weather', input: {}}}),
      event({type: 'content_block_delta', index: 1, delta: {type: 'input_json_delta', partial_json: '{"city":'}}),
      event({type: 'content_block_delta', index: 1, delta: {type: 'input_json_delta', partial_json: '"Tula"}'}}),
    ],
    end: (m, n, reason) => [
      event({type: 'content_block_stop', index: reason ? 1 : 0}),
      event({type: 'message_delta', delta: {stop_reason: reason ?? 'end_turn', stop_sequence: null},
             usage: {output_tokens: n}}),
    ],
    mark: () => event({type: 'message_stop'}),
    error: () => event({type: 'error', error: {type: 'api_error', message: 'the gpu is on fire'}}),
    toolReason: 'tool_use',
    refusal: (status) => ({type: 'error', error: {type: 'api_error', message: `refused with ${status}`}}),
    whole: (m, text) => ({
      id: 'm1', type: 'message', role: 'assistant', model: m, content: [{type: 'text', text}],
      stop_reason: 'end_turn', stop_sequence: null, usage: {input_tokens: 7, output_tokens: words.length}}),
  },
};
const now = () => new Date().toISOString();
const sse = (value) => `data: ${JSON.stringify(value)}\n\n`;
const line = (value) => JSON.stringify(value) + '\n';
const event = (value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const message = (m, value) => ({model: m, created_at: now(), message: value, done: false});
const chunk = (m, delta, reason = null) => sse({
  id: 'c1', object: 'chat.completion.chunk', created: 1, model: m,
  choices: [{index: 0, delta, logprobs: null, finish_reason: reason}]});

async function answer(request, response, body, api, generate) {
  const model = body.model;
  const name = request.url + ' ' + model;
  control.asked[name] = (control.asked[name] ?? 0) + 1;
  control.headers = request.headers;
  let over = false;
  ++control.open;
  response.on('close', () => {
    --control.open;
    if (!over && !response.writableFinished) ++control.closed;
    over = true;
  });
  const refuse = (status, fields = {}) => {
    response.writeHead(status, {'content-type': 'application/json', ...fields});
    response.end(JSON.stringify(api.refusal(status)));
  };
  const flakyFirst = model.startsWith('flaky') && control.asked[name] === 1;
  if (model.startsWith('status-') || flakyFirst) {
    const status = flakyFirst ? 503 : Number(model.slice(7));
    return refuse(status, status === 429 ? {'retry-after': '7'} : {});
  }
  if (model === 'tells-key') {
    const key = request.headers.authorization ?? request.headers['x-api-key'];
    response.writeHead(400, {'content-type': 'application/json'});
    const refusal = JSON.stringify(api.refusal(400));
    return response.end(refusal.replace('refused with 400', `refused with ${key}.`));
  }
  if (model === 'redirect') return refuse(307, {location: '/foreign'});
  if (model === 'silent') return undefined;
  if (model === 'cut-before') {
    over = true;
    return request.socket.destroy();
  }
  const streams = api === dialects.ollama ? body.stream !== false : body.stream === true;
  if (model === 'say') {
    const said = JSON.stringify(body);
    if (!streams) return response.end(JSON.stringify(api.whole(model, said, generate)));
    response.writeHead(200, {'content-type': api.type});
    for (const piece of api.begin(model)) response.write(piece);
    response.write(api.word(model, said, generate));
    for (const piece of api.end(model, 1)) response.write(piece);
    over = true;
    return response.end(api.mark(model, 1, generate));
  }
  if (!streams) {
    response.writeHead(200, {'content-type': 'application/json'});
    over = true;
    return response.end(JSON.stringify(api.whole(model, words.join(''), generate)));
  }
  response.writeHead(200, {'content-type': api.type});
  if (model === 'garbage') return response.end('data: {"choices":[\n\n{"message":{\n\n');
  if (model === 'cut-head') {
    response.flushHeaders();
    await pause(20);
    over = true;
    return request.socket.destroy();
  }
  for (const piece of api.begin(model)) response.write(piece);
  if (model.startsWith('think')) {
    response.write(api.think(model, 'Hm,'));
    response.write(api.think(model, ' well.'));
  }
  const all = model === 'endless' ? Array(100000).fill(' and so on')
    : model === 'long' ? Array(2000).fill(' word') : words;
  for (let i = 0; i < all.length && !over; ++i) {
    if (i === 3 && ['cut-middle', 'error', 'silent-middle'].includes(model)) {
      if (model === 'silent-middle') return undefined;
      if (model === 'error') {
        over = true;
        return response.end(api.error());
      }
      await pause(30);  // what was said is on its way
      over = true;
      return request.socket.resetAndDestroy();
    }
    response.write(api.word(model, all[i], generate));
    if (model !== 'long') await pause(2);
  }
  if (over) return undefined;
  const calls = model === 'tools';
  if (calls) for (const piece of api.tools(model)) response.write(piece);
  for (const piece of api.end(model, all.length, calls ? api.toolReason : undefined)) response.write(piece);
  over = true;
  if (model === 'cut-end') return response.end();
  return response.end(api.mark(model, all.length, generate));
}

function embed(body, response, path) {
  const inputs = Array.isArray(body.input) ? body.input : [body.input ?? body.prompt];
  const vector = (text) => [text.length, 0.5, -1.25];
  const json = (value) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };
  if (path.endsWith('/v1/embeddings')) {
    const base64 = body.encoding_format === 'base64';
    const coded = (v) => base64 ? Buffer.from(new Float32Array(v).buffer).toString('base64') : v;
    return json({object: 'list', model: body.model, usage: {prompt_tokens: 3, total_tokens: 3},
                 data: inputs.map((text, index) => ({object: 'embedding', index, embedding: coded(vector(text))}))});
  }
  return json({model: body.model, embeddings: inputs.map(vector), prompt_eval_count: 3});
}

async function serve(request, response) {
  const path = new URL(request.url, 'http://x').pathname;
  if (path === '/control') return response.end(JSON.stringify(control));
  if (path === '/foreign') {
    ++control.foreign;
    return response.end('{}');
  }
  let text = '';
  for await (const piece of request) text += piece;
  const body = JSON.parse(text || '{}');
  if (/\/v1\/embeddings$|\/api\/embed$/.test(path)) return embed(body, response, path);
  if (path === '/openai/v1/chat/completions') return answer(request, response, body, dialects.openai);
  if (path === '/anthropic/v1/messages') return answer(request, response, body, dialects.anthropic);
  if (path === '/ollama/api/chat') return answer(request, response, body, dialects.ollama, false);
  if (path === '/ollama/api/generate') return answer(request, response, body, dialects.ollama, true);
  response.writeHead(404);
  return response.end();
}

const handle = (request, response) =>
  serve(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
const [certificate, key] = process.argv.slice(2);
const server = certificate
  ? https.createServer({cert: fs.readFileSync(certificate), key: fs.readFileSync(key)}, handle)
  : http.createServer(handle);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
