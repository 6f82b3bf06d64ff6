"""websocket_client.py URI CHECK: a client made of Debian's python3-websockets. Exits 0 where all held.

The upstream behind URI is websocket_server.py.
"""
import asyncio
import json
import random
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

URI = sys.argv[1]


def connect(path="/", **more):
    return websockets.connect(URI + path, max_size=32 << 20, ping_interval=None, open_timeout=20,
                              **more)


async def ask(socket, message):
    await socket.send(message)
    return await asyncio.wait_for(socket.recv(), 30)


def check(condition, *shown):
    if not condition:
        raise AssertionError(*shown)


async def text_and_binary():
    async with connect() as socket:
        for message in ("hello", "", "привет, мир 👋", "\x00", bytes(range(256)), b"",
                        "a" * 125, "a" * 126, "a" * 65535, "a" * 65536, random.randbytes(300000)):
            answer = await ask(socket, message)
            check(answer == message, message[:80], answer[:80])


async def fragmented():
    octets = random.randbytes(70000)
    async with connect() as socket:
        check(await ask(socket, ["one ", "two ", "", "три"]) == "one two три")
        check(await ask(socket, [b"\x00", octets, b"\x01"]) ==
              b"\x00" + octets + b"\x01")
        check(await ask(socket, "pieces") == "one two three")


async def ping_both_ways():
    async with connect() as socket:
        await asyncio.wait_for(await socket.ping(b"x" * 125), 10)
        check(await ask(socket, "ping") == "pong")


async def close_of_the_client():
    async with connect() as watcher:
        for code, reason in ((1000, ""), (1001, "going"), (3000, "r"), (4001, "до свидания"),
                             (4999, "x" * 123)):
            async with connect() as socket:
                await ask(socket, "hello")
                await socket.close(code, reason)
                check(socket.close_code == code, socket.close_code)
            for _ in range(100):
                last = json.loads(await ask(watcher, "last"))
                if last == {"code": code, "reason": reason}:
                    break
                await asyncio.sleep(0.05)
            else:
                check(False, code, reason, last)


async def close_of_the_upstream():
    for code, reason in ((1000, ""), (1001, "going"), (1011, "broken"), (4002, "до свидания")):
        async with connect() as socket:
            await socket.send(f"close {code} {reason}")
            await asyncio.wait_for(socket.wait_closed(), 20)
            check((socket.close_code, socket.close_reason) == (code, reason), code,
                  socket.close_code, socket.close_reason)


async def sixteen_mebibytes():
    async with connect("/large", compression=None) as socket:
        for message in (random.randbytes(16 << 20), "я" * (8 << 20)):
            check(await ask(socket, message) == message)
    async with connect("/large") as socket:
        check("permessage-deflate" in [extension.name for extension in socket.extensions])
        words = [str(random.random()) for _ in range(1000)]
        message = " ".join(random.choices(words, k=800000))[:16 << 20 >> 1]
        check(await ask(socket, message) == message)


async def deflate(path, **offer):
    """As `offer` says; messages that repeat themselves show whether the windows agree."""
    async with connect(path, compression=None,
                       extensions=[ClientPerMessageDeflateFactory(**offer)]) as socket:
        extensions = socket.response_headers.get("Sec-WebSocket-Extensions", "")
        check(extensions.startswith("permessage-deflate"), extensions)
        base = "".join(random.choices("abcdefgh ", k=40000))
        for i in range(20):
            message = base[i * 1000:i * 1000 + 20000]
            check(await ask(socket, message) == message)
            check(await ask(socket, message.encode()) == message.encode())
        check(await ask(socket, "") == "")
        check(await ask(socket, [message[:10], message[10:], ""]) == message)
        return extensions


async def deflate_as_browsers_offer_it():
    # "permessage-deflate; client_max_window_bits" is what all of them send.
    extensions = await deflate("/", client_max_window_bits=True)
    check("server_no_context_takeover" in extensions, extensions)
    check("client_no_context_takeover" in extensions, extensions)


async def deflate_with_context_takeover():
    extensions = await deflate("/takeover", client_max_window_bits=True)
    check("no_context_takeover" not in extensions, extensions)


async def deflate_with_small_windows():
    extensions = await deflate("/takeover", server_max_window_bits=9, client_max_window_bits=9)
    check("server_max_window_bits=9" in extensions, extensions)
    extensions = await deflate("/small", client_max_window_bits=True)
    check("client_max_window_bits=10" in extensions, extensions)


async def deflate_towards_the_upstream():
    for path, expected in (("/", []), ("/both", ["permessage-deflate"]),
                           ("/both/takeover", ["permessage-deflate"])):
        async with connect(path, compression=None) as socket:
            about = json.loads(await ask(socket, "about"))
            check(about["extensions"] == expected, path, about)
        await deflate(path, client_max_window_bits=True)


async def deflate_off():
    async with connect("/plain") as socket:
        check(socket.extensions == [], socket.extensions)
        check(await ask(socket, "hello") == "hello")


async def subprotocols():
    async with connect(subprotocols=["chat.v9", "chat.v1"]) as socket:
        check(socket.subprotocol == "chat.v1", socket.subprotocol)
        check(json.loads(await ask(socket, "about"))["subprotocol"] == "chat.v1")
    async with connect() as socket:
        check(socket.subprotocol is None)
        check(json.loads(await ask(socket, "about"))["subprotocol"] is None)


async def many_at_once():
    async def one(number):
        async with connect(f"/{number}") as socket:
            for i in range(20):
                message = f"{number} {i}"
                check(await ask(socket, message) == message)
            check(json.loads(await ask(socket, "about"))["path"] == f"/{number}")
    await asyncio.gather(*(one(number) for number in range(50)))


async def attack():
    for message in ("an attack", b"an attack", ["an at", "tack"], '{"a":"\\u0061ttack"}'):
        async with connect("/inspected") as socket:
            check(await ask(socket, "hello") == "hello")
            await socket.send(message)
            await asyncio.wait_for(socket.wait_closed(), 20)
            check((socket.close_code, socket.close_reason) == (1008, "message refused"),
                  socket.close_code, socket.close_reason)


asyncio.run(asyncio.wait_for(globals()[sys.argv[2]](), 120))
