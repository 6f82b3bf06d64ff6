"""chat_client.py URI TOKEN ROOM: the chat with Debian's python3-websockets. Exits 0 where all held."""
import asyncio
import json
import sys

import websockets

URI, TOKEN, ROOM = sys.argv[1:]


def check(condition, *shown):
    if not condition:
        raise AssertionError(*shown)


async def say(socket, **message):
    await socket.send(json.dumps(message))


async def hear(socket, kind):
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if message["type"] == kind:
            return message


async def main():
    bearer = {"Authorization": "Bearer " + TOKEN}
    async with websockets.connect(URI, extra_headers=bearer, ping_interval=1) as socket:
        await say(socket, type="hello", v=1, rooms=[{"room": ROOM, "after": 0}])
        check((await hear(socket, "welcome"))["v"] == 1)
        joined = await hear(socket, "joined")
        for number in range(1, joined["last"] + 1):
            check((await hear(socket, "message"))["number"] == number)
        await say(socket, type="message", room=ROOM, client_id="py", text="from python")
        ack = await hear(socket, "ack")
        check(ack["number"] == joined["last"] + 1, ack)
        await say(socket, type="history", room=ROOM, limit=1)
        history = await hear(socket, "history")
        check(history["messages"][0]["text"] == "from python", history)
        # Fragments are one message.
        await socket.send(['{"type":"pi', 'ng","ref":"', 'f"}'])
        check((await hear(socket, "pong"))["in_reply_to"] == "f")
        await asyncio.wait_for(await socket.ping(), 10)
    try:
        async with websockets.connect(URI, extra_headers=bearer) as socket:
            await socket.send("no JSON")
            while True:
                await asyncio.wait_for(socket.recv(), 20)
    except websockets.ConnectionClosed as closed:
        check(closed.code == 4400, closed.code)


asyncio.run(main())
