// chat_client.js URL TOKEN ROOM: the chat with Debian's node-ws. Exits 0 where all held.
const WebSocket = require('ws');
const [url, token, room] = process.argv.slice(2);

function open(protocols, options) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, options);
    const waiting = [];
    const heard = [];
    socket.next = (type) => new Promise((found) => {
      const at = heard.findIndex((message) => message.type === type);
      if (at >= 0) return found(heard.splice(at, 1)[0]);
      waiting.push({type, found});
    });
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString());
      const at = waiting.findIndex((one) => one.type === message.type);
      if (at >= 0) waiting.splice(at, 1)[0].found(message);
      else heard.push(message);
    });
    socket.say = (message) => socket.send(JSON.stringify(message));
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
  });
}

function check(condition, what) {
  if (!condition) throw new Error(`${what} does not hold`);
}

async function main() {
  const one = await open([], {headers: {Authorization: `Bearer ${token}`}});
  // As a page does that has a token and no ticket, but without its origin.
  const two = await open(['bearer', token, 'framewall.chat']);
  check(two.protocol === 'framewall.chat', 'the sub-protocol');
  for (const socket of [one, two]) {
    socket.say({type: 'hello', v: 1, rooms: [{room}]});
    check((await socket.next('welcome')).v === 1, 'the version');
    check((await socket.next('joined')).room === room, 'the room');
  }
  const text = 'Привет 👋 <b> '.repeat(100);
  one.say({type: 'message', room, client_id: 'node-1', text});
  const ack = await one.next('ack');
  const message = await two.next('message');
  check(message.text === text && message.number === ack.number, 'the message');
  two.ping();
  await new Promise((resolve) => two.once('pong', resolve));
  one.say({type: 'ping', ref: 'r'});
  check((await one.next('pong')).in_reply_to === 'r', 'the pong');
  const closed = new Promise((resolve) => two.once('close', resolve));
  two.close(1000);
  check(await closed === 1000, 'the close');
  one.terminate();
}

setTimeout(() => { console.log('too slow'); process.exit(1); }, 30000).unref();
main().then(() => process.exit(0), (error) => { console.log(error.stack); process.exit(1); });
