"""Runs the small service alone, for outside suites and for GraphiQL: `python -m tests.protocol.server PORT`."""

import asyncio
import sys

from tests.protocol.house import served


async def main(port: int) -> None:
    """Serve until interrupted."""
    async with served(port=port, an_account=50) as running:
        print(running.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
