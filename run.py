#!/usr/bin/env python3
"""Start here: `python3 run.py serve`, `python3 run.py test`.

Needs only Python 3.11 or newer with pip. Brings the installer (uv) into `.tools/` and the hash-locked environment into
`.venv/`, then becomes `python -m gateway COMMAND …`. When both are already there it costs a few milliseconds.
"""

import sys

if sys.version_info < (3, 11):  # before the imports that an older one lacks
    sys.exit("Kiosque needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])

import ast
import fcntl
import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOOLS, VENV = ROOT / ".tools", ROOT / ".venv"
UV, PYTHON, STAMP = TOOLS / "bin" / "uv", VENV / "bin" / "python", VENV / "installed"
RUN, DEVELOP, INSTALLER = ROOT / "requirements.txt", ROOT / "requirements-dev.txt", ROOT / "requirements-tools.txt"

DEVELOPMENT = {"test", "lint", "bench", "conformance", "mutations"}
"""Commands that need the development set as well."""

CHECKS = {
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "import rules": ["-c", "from importlinter.cli import lint_imports_command as check; check()"],
}
"""What `lint` runs besides the comparison of `schema.graphql`, by name."""

PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""uv does not read pip's configuration, so what the machine's owner told pip is told to uv by these variables."""

WHOLE_SUITE = ["-n", "2", "--dist", "loadfile"]
"""Two files at a time, each worker with its own PostgreSQL: most tests wait for something more than they compute."""

HELP = """Started by run.py itself:
  test [pytest arguments]   all tests, or those that pytest is told
  lint                      style, types, import rules, schema.graphql up to date
All other commands:
"""


def main(arguments: list[str]) -> int:
    """Make the environment fit, then become the command; returns only from `lint`."""
    command = arguments[0] if arguments else "--help"
    prepare(command)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    if command == "lint":
        return lint(environment)
    if command == "test":
        os.chdir(ROOT)
        become(["-m", "pytest", *(arguments[1:] or WHOLE_SUITE)], environment)
    if command in {"--help", "help"}:
        print(HELP, end="", flush=True)
        arguments = ["--help"]
    # -P: a folder `db` or `schema` in the caller's own directory must not stand before ours.
    become(["-P", "-m", "gateway", *arguments], environment)
    return 1


def become(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Replace this process, so that Ctrl-C, signals and the exit code are the program's own."""
    os.execve(PYTHON, [str(PYTHON), *arguments], environment)


def lint(environment: Mapping[str, str]) -> int:
    """Run every check, even after a failed one; 1 when any failed."""
    os.chdir(ROOT)
    results = {name: not subprocess.run([PYTHON, *check], env=environment).returncode for name, check in CHECKS.items()}
    results["schema.graphql"] = contract_is_current(environment)
    for name, passed in results.items():
        print(f"{'ok    ' if passed else 'FAILED'} {name}", flush=True)
    return 0 if all(results.values()) else 1


def contract_is_current(environment: Mapping[str, str]) -> bool:
    """Whether the committed `schema.graphql` is what the code prints."""
    printed = subprocess.run([PYTHON, "-m", "gateway", "schema"], env=environment, stdout=subprocess.PIPE)
    committed = ROOT / "schema.graphql"
    if printed.returncode == 0 and committed.is_file() and printed.stdout.strip() == committed.read_bytes().strip():
        return True
    print("schema.graphql is not what the code prints: python3 run.py schema > schema.graphql", file=sys.stderr)
    return False


def prepare(command: str) -> None:
    """Bring the environment to the locked set, once; a second program that does the same is waited for."""
    if fits(command):
        return
    try:
        TOOLS.mkdir(exist_ok=True)
        with (TOOLS / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not fits(command):
                install(wanted(command))
    except PermissionError as error:
        sys.exit(f"The packages must be installed first, but {error.filename} cannot be written by this user.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"Installing the packages failed (exit {error.returncode}); the reason stands above.")


def fits(command: str) -> bool:
    """Whether what is installed is what this command needs."""
    return PYTHON.exists() and installed() == wanted(command)


def installed() -> str:
    """The stamp of the last complete installation: which set, and the hash of its lock file."""
    return STAMP.read_text() if STAMP.exists() else ""


def wanted(command: str) -> str:
    """The stamp that this command wants; development tools that are already there stay."""
    develop = command in DEVELOPMENT or installed().startswith("dev")
    lock = DEVELOP if develop else RUN
    return f"{'dev' if develop else 'run'} {hashlib.sha256(lock.read_bytes()).hexdigest()}"


def install(stamp: str) -> None:
    """Fetch uv, make `.venv`, install the locked set, and only then write the stamp."""
    print("Installing the packages …", file=sys.stderr, flush=True)
    environment = uv_environment()
    bring_uv()
    if not PYTHON.exists():
        run([UV, "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, VENV], environment)
    lock = DEVELOP if stamp.startswith("dev") else RUN
    run([UV, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, lock], environment)
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(stamp)
    fresh.replace(STAMP)


def bring_uv() -> None:
    """Install the pinned uv into `.tools` with pip, which leaves an externally managed Python untouched."""
    mark, pins = TOOLS / "installed", INSTALLER.read_text()
    if UV.exists() and mark.exists() and mark.read_text() == pins:
        return
    mark.unlink(missing_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--version"], stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"Kiosque needs pip for {sys.executable} (on Debian: apt install python3-pip).")
    options = ["--quiet", "--upgrade", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-user"]
    options += [] if writable_home() else ["--no-cache-dir"]
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}  # its warning is not about a folder of our own
    run([*pip, "install", *options, "--target", TOOLS, "-r", INSTALLER], environment)
    mark.write_text(pins)


def run(command: list[str | Path], environment: Mapping[str, str]) -> None:
    """Run an installer; raises CalledProcessError."""
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr, cwd=ROOT)


def uv_environment() -> dict[str, str]:
    """The environment for uv: the caller's, then what pip was told, then what keeps uv within this folder."""
    own = dict(os.environ)
    indexed = any(name in own for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"))
    told = {name: value for name, value in pip_settings().items() if not (indexed and "INDEX" in name)}
    # Every package is checked against its hash, so pip's rule, "best version of any index", is safe here.
    defaults = {"UV_PYTHON_DOWNLOADS": "never", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    if not writable_home():
        defaults["UV_CACHE_DIR"] = str(TOOLS / "cache")
    return {**defaults, **told, **own}


def pip_settings() -> dict[str, str]:
    """pip's configuration files and variables, in uv's words."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True).stdout
    told: dict[str, str] = {}
    for line in listed.splitlines():  # pip lists its files first and its environment (":env:") last
        name, _, quoted = line.partition("=")
        variable = PIP_TO_UV.get(name.rpartition(".")[2])
        if variable and name.split(".")[0] in {"global", "install", ":env:"}:
            values = str(ast.literal_eval(quoted)).split()
            told[variable] = ("," if variable == "UV_FIND_LINKS" else " ").join(values)
    return told


def writable_home() -> bool:
    """Whether this user has a home for caches (a service user often has none)."""
    return os.access(os.path.expanduser("~"), os.W_OK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
