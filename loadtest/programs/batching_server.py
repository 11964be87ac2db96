"""What a team would write first: a small asyncio server that gathers messages for up to 2 ms or 64
of them and sends each batch upstream. Standard library only; HTTP/1.1 on both sides.

    batching_server.py PORT UPSTREAM_FIRST_PORT CARDS"""

import asyncio
import json
import sys

PORT, FIRST, CARDS = map(int, sys.argv[1:4])
DELAY, LARGEST = 0.002, 64
waiting = []
pools = {}
tasks = set()


async def read_message(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(b"content-length:"):
            length = int(line[15:])
    return head, await reader.readexactly(length)


async def call(card, texts):
    idle = pools.setdefault(card, [])
    reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", card)
    body = json.dumps({"model": "m", "input": texts}).encode()
    writer.write(b"POST /classify HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(body))
    writer.write(body)
    _, answer = await read_message(reader)
    idle.append((reader, writer))
    return json.loads(answer)["data"]


async def send(batch, card):
    verdicts = await call(card, [text for text, _ in batch])
    for (_, future), verdict in zip(batch, verdicts):
        future.set_result(verdict)


async def gather():
    turn = 0
    while True:
        await asyncio.sleep(DELAY)
        while waiting:
            batch = waiting[:LARGEST]
            del waiting[:LARGEST]
            task = asyncio.ensure_future(send(batch, FIRST + turn % CARDS))
            # The loop itself keeps no task alive.
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            turn += 1


async def serve(reader, writer):
    try:
        while True:
            head, body = await read_message(reader)
            if head.startswith(b"GET"):
                answer = b"{}"
            else:
                future = asyncio.get_running_loop().create_future()
                waiting.append((json.loads(body)["input"], future))
                verdict = await future
                verdict["index"] = 0
                answer = json.dumps({"object": "list", "data": [verdict]}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                % len(answer) + answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    asyncio.ensure_future(gather())
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=1024)
    async with server:
        await server.serve_forever()


asyncio.run(main())
