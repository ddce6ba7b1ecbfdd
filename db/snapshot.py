"""`db/schema.sql`: what the migrations make of an empty database, written by pg_dump for reviewers."""

import re
import subprocess
from pathlib import Path

SNAPSHOT = Path(__file__).with_name("schema.sql")
NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$\n?", re.MULTILINE)


def snapshot(pg_dump: Path, dsn: str) -> str:
    """Give the definition of a database without what differs from run to run; `pg_dump` is of the server's version."""
    command = [str(pg_dump), "--schema-only", "--no-owner", "--exclude-table=migration", f"--dbname={dsn}"]
    # S603: our own binary with our own arguments.
    dumped = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    return re.sub(r"\n{3,}", "\n\n", NOISE.sub("", dumped)).strip() + "\n"
