"""A LINE that accepts every push: `python line_stub.py PORT RUN_DIR`. Standard library only.

`GET /_taken` tells how many requests it took in, and in how many seconds it was at work on any; `POST /_delay/MS` lets
each wait so many milliseconds.

The sandbox checks what it is sent as LINE does, which is not what a benchmark of the sender is about. This one reads
a request and answers as LINE answers an accepted push, headers included.
"""

import asyncio
import json
import sys
import time

BACKLOG = 512
ACCOUNT = {
    "/v2/bot/message/quota": {"type": "limited", "value": 1_000_000},
    "/v2/bot/message/quota/consumption": {"totalUsage": 0},
    "/v2/bot/insight/message/event/aggregation": {"overview": {"uniqueImpression": 40, "uniqueClick": 25}},
}


class _State:
    """What was taken in, and how long anything was under way."""

    def __init__(self) -> None:
        self.taken = 0
        self.delay_seconds = 0.0
        self.busy_seconds = 0.0
        self._under_way = 0
        self._since = 0.0

    def begin(self) -> int:
        """One more request; its number."""
        self.taken += 1
        if not self._under_way:
            self._since = time.perf_counter()
        self._under_way += 1
        return self.taken

    def end(self) -> None:
        """One request is answered."""
        self._under_way -= 1
        if not self._under_way:
            self.busy_seconds += time.perf_counter() - self._since


_state = _State()


async def _answer(path: str) -> bytes:
    if path == "/_taken":
        told = {"taken": _state.taken, "busy_seconds": _state.busy_seconds}
        return _written(json.dumps(told).encode(), 0)
    if path.startswith("/_delay/"):
        _state.delay_seconds = int(path.removeprefix("/_delay/")) / 1000
        return _written(b"{}", 0)
    known = ACCOUNT.get(path.partition("?")[0])
    if known is not None:
        return _written(json.dumps(known).encode(), 0)
    number = _state.begin()
    if _state.delay_seconds:
        await asyncio.sleep(_state.delay_seconds)
    _state.end()
    body = {"sentMessages": [{"id": f"{461230966842064897 + number}"}]} if path.endswith("/push") else {}
    return _written(json.dumps(body, separators=(",", ":")).encode(), number)


def _written(text: bytes, number: int) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\n"
        "server: legy\r\n"
        "content-type: application/json\r\n"
        "cache-control: no-cache, no-store, max-age=0, must-revalidate\r\n"
        "x-content-type-options: nosniff\r\n"
        f"x-line-request-id: {number:08x}-0b3d-4b1f-9c0a-6f2a6d1f0c11\r\n"
        f"content-length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept alive until the client leaves it."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            await reader.readexactly(int(headers.get("content-length", "0")))
            writer.write(await _answer(lines[0].split(" ")[1]))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=BACKLOG)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
