"""The two ends of bench/llm: a server that streams like a model, and clients that watch.

Every token is the time at which the server sent it (CLOCK_MONOTONIC, nanoseconds), so what arrives
says how long it was on its way. Run as a program it is the server: arguments are tokens and the
milliseconds between two of them; it prints its port.
"""

import asyncio
import json
import re
import sys
import time

STAMP = re.compile(rb'"content":"(\d+) "')
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")


def chunk(text):
    data = text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


class Model(asyncio.Protocol):
    tokens = 0
    pause = 0.0

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""
        self.timer = None

    def connection_lost(self, reason):
        if self.timer:
            self.timer.cancel()

    def data_received(self, data):
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(re.search(rb"content-length: *(\d+)", head, re.I).group(1))
        if len(body) < length:
            return
        self.received = body[length:]
        self.transport.write(HEAD)
        self.loop = asyncio.get_running_loop()
        self.left = self.tokens
        self.due = self.loop.time()
        self.say()

    def say(self):
        self.left -= 1
        text = ('data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
                '[{"index":0,"delta":{"content":"%d "},"finish_reason":null}]}\n\n'
                % time.monotonic_ns())
        if self.left > 0:
            self.transport.write(chunk(text))
            self.due += self.pause
            self.timer = self.loop.call_at(self.due, self.say)
            return
        end = ('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
               'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":%d}}\n\n'
               'data: [DONE]\n\n' % self.tokens)
        self.transport.write(chunk(text) + chunk(end) + b"0\r\n\r\n")


class Watcher(asyncio.Protocol):
    """One stream: the time to its first token, and how long each token was on its way, in ms."""

    def __init__(self, path, head):
        body = json.dumps({"model": "m", "stream": True,
                           "messages": [{"role": "user", "content": "Go on."}]}).encode()
        self.request = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Type: "
                        f"application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
        self.done = asyncio.get_running_loop().create_future()
        self.first = None
        self.delays = []
        self.rest = b""

    def connection_made(self, transport):
        self.transport = transport
        self.started = time.monotonic_ns()
        transport.write(self.request)

    def data_received(self, data):
        now = time.monotonic_ns()
        self.rest += data
        at = 0
        for found in STAMP.finditer(self.rest):
            if self.first is None:
                self.first = (now - self.started) / 1e6
            self.delays.append((now - int(found.group(1))) / 1e6)
            at = found.end()
        if b"data: [DONE]" in self.rest:
            self.transport.close()
            self.finish()
        else:
            # What may be the beginning of a token stays.
            self.rest = self.rest[max(at, len(self.rest) - 200):]

    def connection_lost(self, reason):
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"broke off: {self.rest[-500:]!r}"))

    def finish(self):
        if not self.done.done():
            self.done.set_result(None)


async def watch(address, path, head, streams, stagger=0.0):
    """`streams` at once; the watchers."""
    loop = asyncio.get_running_loop()
    watchers = []
    for _ in range(streams):
        _, watcher = await loop.create_connection(lambda: Watcher(path, head), *address)
        watchers.append(watcher)
        if stagger:
            await asyncio.sleep(stagger)
    await asyncio.gather(*(watcher.done for watcher in watchers))
    return watchers


async def serve():
    Model.tokens = int(sys.argv[1])
    Model.pause = float(sys.argv[2]) / 1000
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
