"""Runs the examples of docs/partners.md against a demonstration, and a receiver in Node.js: `python -m
tests.partner_examples`.

Needs Node.js, npm and uv; packages go to the user's cache, none of them becomes part of the program.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from db.embedded import scratch
from gateway.demo.city import DEMO_PARTNER, DEMO_PARTNER_SECRET
from tests.conformance.__main__ import _address

ROOT = Path(__file__).parents[2]
CACHE = Path.home() / ".cache" / "kiosque-examples"
FEED_SECONDS = 30
RECEIVER = """
import http from 'node:http';
import { Webhook } from 'standardwebhooks';
const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    let told;
    const check = (text) => new Webhook(globalThis.secret).verify(text, request.headers).type;
    try { told = check(body); } catch (error) { told = `refused ${error.message}`; }
    let forged;
    try { check(body + ' '); forged = 'forged passes'; } catch { forged = 'forged refused'; }
    console.log(`${told}, ${forged}`);
    response.writeHead(204).end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('data', (data) => { globalThis.secret = data.toString().trim(); console.log('ready'); });
"""


def main() -> int:
    """Give 0 when every example did what its text says."""
    blocks = dict(
        re.findall(r"```(bash|python|javascript)\n(.*?)```", (ROOT / "docs" / "partners.md").read_text(), re.S)
    )
    python = installed()
    with scratch() as data:
        command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--data", str(data), "--demo"]
        environment = {**os.environ, "KIOSQUE_WEBHOOKS__PRIVATE_NETWORKS": "127.0.0.0/8"}
        portal = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            url = _address(portal).removesuffix("/graphql")
            given = {**os.environ, "PORTAL": url, "CLIENT_ID": str(DEMO_PARTNER), "CLIENT_SECRET": DEMO_PARTNER_SECRET}
            shown = told(["bash", "-c", blocks["bash"] + '\necho; echo "TOKEN=$TOKEN"'], given)
            assert "medianHours" in shown, shown
            given["TOKEN"] = shown.rpartition("TOKEN=")[2].strip()
            given["AFTER"] = first_cursor(url, given["TOKEN"])
            counted = told([str(python), "-c", blocks["python"]], given)
            assert "resume behind" in counted and "SUBMITTED" in counted, counted
            heard = told(["node", str(script("live.mjs", blocks["javascript"]))], given)
            assert re.match(r"PES-\d{4}-\d{6} [A-Z_]+", heard), heard
            print(counted, heard, sep="\n")
            return receive(url, given["TOKEN"])
        finally:
            portal.send_signal(signal.SIGTERM)
            portal.wait()


def installed() -> Path:
    """Install what the examples import, once; give a Python that has `gql`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    python = CACHE / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(CACHE / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "gql[requests]"], check=True)
    if not (CACHE / "node_modules" / "standardwebhooks").exists():
        packages = ["standardwebhooks", "graphql", "graphql-ws", "ws"]
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], cwd=CACHE, check=True)
    return python


def script(name: str, text: str) -> Path:
    """Write a program beside its packages."""
    file = CACHE / name
    file.write_text(text, encoding="utf-8")
    return file


def told(command: list[str], environment: dict[str, str]) -> str:
    """Run a program; give what it printed."""
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def ask(portal: str, token: str, query: str, /, **variables: str) -> dict[str, object]:
    """Send one operation."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{portal}/graphql", body, headers)) as answer:
        data: dict[str, object] = json.load(answer)["data"]
        return data


def first_cursor(url: str, token: str) -> str:
    """Wait until the feed has begun; give the cursor of its first step, behind which the stream begins."""
    ends = time.monotonic() + FEED_SECONDS
    while time.monotonic() < ends:
        found: object = ask(url, token, "{ procedureEvents(first: 1) { pageInfo { endCursor } } }")["procedureEvents"]
        assert isinstance(found, dict)
        if found["pageInfo"]["endCursor"]:
            return str(found["pageInfo"]["endCursor"])
        time.sleep(0.2)
    raise SystemExit("The feed did not begin.")


def receive(url: str, token: str) -> int:
    """Let the library of Standard Webhooks for Node.js verify what we send."""
    node = subprocess.Popen(
        ["node", str(script("receiver.mjs", RECEIVER))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert node.stdin is not None and node.stdout is not None
    try:
        address = f"http://127.0.0.1:{node.stdout.readline().strip()}/"
        register = "mutation ($url: String!) { registerWebhook(url: $url) { secret webhook { id } } }"
        made: object = ask(url, token, register, url=address)["registerWebhook"]
        assert isinstance(made, dict)
        node.stdin.write(made["secret"] + "\n")
        node.stdin.flush()
        assert node.stdout.readline().strip() == "ready"
        ask(url, token, "mutation ($id: ID!) { testWebhook(webhook: $id) { ordered } }", id=made["webhook"]["id"])
        line = node.stdout.readline().strip()
        print(f"Node.js: {line}")
        return 0 if line == "test, forged refused" else 1
    finally:
        node.kill()
        node.wait()


if __name__ == "__main__":
    sys.exit(main())
