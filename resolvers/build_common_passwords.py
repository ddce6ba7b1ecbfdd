"""Makes the list of common passwords: `python -m resolvers.build_common_passwords FOLDER FOLDER` with the unpacked npm
packages @zxcvbn-ts/language-common and @zxcvbn-ts/language-fr.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from resolvers.password_policy import COMMON, LONGEST, MOST_PLAIN_AROUND, RUNS, SHORTEST_COMMON
from resolvers.password_words import folded, unmasked

MOST_WORDS = 10_000
"""Of the French words, so many of the most frequent: rarer ones are no one's first guess."""

HEADER = """\
# Common passwords and words, folded; made by resolvers/build_common_passwords.py from these lists:
# passwords and French first names of zxcvbn-ts (@zxcvbn-ts/language-common, @zxcvbn-ts/language-fr), MIT licence,
# Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc., Copyright (c) 2021 @zxcvbn-ts;
# French words of OpenSubtitles 2024 (OPUS, Helsinki-NLP), ODC-BY.
"""


PORTAL_WORDS = (
    "agent",
    "cantine",
    "commune",
    "demarche",
    "facture",
    "famille",
    "girondins",
    "gironde",
    "guichet",
    "kiosque",
    "mairie",
    "portail",
    "ville",
)
"""What comes to mind before this very portal (ASVS 5.0, 6.1.2)."""


def entries(words: Iterable[str]) -> list[str]:
    """Give what is worth keeping: as long as the policy looks for, and not a shorter entry with digits around."""
    kept: set[str] = set()
    for word in sorted({"".join(filter(str.isalnum, folded(word))) for word in words}, key=len):
        if word.isascii() and SHORTEST_COMMON <= len(word) <= LONGEST and not _implied(word, kept):
            kept.add(unmasked(word))
    return sorted(kept)


def _implied(word: str, kept: set[str]) -> bool:
    core = word.strip("0123456789")
    around = len(word) - len(core)
    return 0 < around <= MOST_PLAIN_AROUND and (
        unmasked(core) in kept or (core != "" and any(core in run for run in RUNS))
    )


def read(folder: str, name: str) -> list[str]:
    """Read one of the lists of a package, most frequent first."""
    found: list[str] = json.loads((Path(folder) / "src" / f"{name}.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    common, french = sys.argv[1:]
    words = [
        *read(common, "passwords"),
        *read(french, "firstnames"),
        *read(french, "commonWords")[:MOST_WORDS],
        *PORTAL_WORDS,
    ]
    COMMON.write_text(HEADER + "".join(f"{entry}\n" for entry in entries(words)), encoding="ascii")
