"""Runs the outside suites against a portal of its own: `python3 run.py conformance [FOLDER]`.

FOLDER holds `run_all.sh`; it is `../shared/conformance` unless named. Node.js is needed; packages go to the user's
cache.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from db.embedded import scratch
from gateway.demo.city import DEMO_PASSWORD

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
SIGN_IN = 'mutation ($p: String!) { signIn(identifier: "1000000", password: $p) { session { accessToken } } }'


def main() -> int:
    """Give the exit status of the suites; 0 with a word when they are not there."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "conformance")
    if not (folder / "run_all.sh").exists():
        print(f"No suites in {folder}: nothing to run.")
        return 0
    with scratch() as data:
        command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--data", str(data), "--demo"]
        portal = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            url = _address(portal)
            return _run(folder, url, _token(url))
        finally:
            portal.terminate()
            portal.wait()


def _run(folder: Path, url: str, token: str) -> int:
    environment = {
        **os.environ,
        "CONF_DEPS": os.environ.get("CONF_DEPS", str(Path.home() / ".cache" / "conformance")),
        "CONF_PROFILE": str(Path(__file__).with_name("profile.json")),
        "CONF_SDL": str(ROOT / "schema.graphql"),
    }
    return subprocess.run(["bash", str(folder / "run_all.sh"), url, token], env=environment).returncode


def _address(portal: "subprocess.Popen[str]") -> str:
    """Read where the portal listens from what it prints."""
    assert portal.stdout is not None
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and (line := portal.stdout.readline()):
        if "is ready" in line:
            return next(word for word in line.split() if word.startswith("http"))
    raise SystemExit("The portal did not start.")


def _token(url: str) -> str:
    body = json.dumps({"query": SIGN_IN, "variables": {"p": DEMO_PASSWORD}}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        token: str = json.load(answer)["data"]["signIn"]["session"]["accessToken"]
    return token


if __name__ == "__main__":
    sys.exit(main())
