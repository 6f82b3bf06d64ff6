"""An upstream made of Debian's python3-websockets. Prints its port, then serves until killed.

A message is sent back, but for these texts:
  close CODE REASON   closes so
  ping                pings us and answers "pong" when ours is there
  pieces              answers "one two three" in three frames
  about               answers with JSON: sub-protocol, extensions, path
  last                answers with JSON: code and reason of the last socket that closed
"""
import asyncio
import json

import websockets

last = {}


async def serve(socket):
    try:
        async for message in socket:
            if isinstance(message, str) and message.startswith("close "):
                _, code, reason = message.split(" ", 2)
                await socket.close(int(code), reason)
            elif message == "ping":
                await asyncio.wait_for(await socket.ping(b"are you there"), 10)
                await socket.send("pong")
            elif message == "pieces":
                await socket.send(["one ", "two ", "three"])
            elif message == "about":
                await socket.send(json.dumps({
                    "subprotocol": socket.subprotocol,
                    "extensions": [extension.name for extension in socket.extensions],
                    "path": socket.path,
                }))
            elif message == "last":
                await socket.send(json.dumps(last))
            else:
                await socket.send(message)
    except websockets.ConnectionClosed:
        pass
    finally:
        if socket.close_code is not None:
            last.update(code=socket.close_code, reason=socket.close_reason)


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, max_size=32 << 20, ping_interval=None,
                                subprotocols=["chat.v2", "chat.v1"]) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
