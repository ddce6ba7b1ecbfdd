"""Many information pages, for the benchmarks that read and search them.

Each page has twenty words of the demonstration city's own, and the rest of a language made of syllables whose words
are as unequally frequent as those of any language (Zipf).
"""

import itertools
import random

import asyncpg

from db.clock import utc_now
from db.ids import uuid7

WORDS_A_PAGE = 250
OWN_WORDS = 20
LANGUAGE = 30_000
SYLLABLES = [a + b for a in "bdfglmnprstv" for b in ("a", "e", "i", "o", "u", "é", "ou", "an")]
TEXTS = """select title_fr || ' ' || summary_fr || ' ' || plain_fr as words from page_version
    where visible_from is not null"""
PAGE = """insert into page (id, slug, category_id, created_at)
    values ($1, $2, (select id from page_category limit 1), $3)"""
VERSION = """insert into page_version (id, page_id, number, category_id, slug, title_fr, title_en, summary_fr,
        summary_en, body_fr, body_en, html_fr, html_en, plain_fr, plain_en, visible_from, edited_by, created_at)
    select $1, $2, 1, (select id from page_category limit 1), $3, $4, $4, $5, $5, $6, '', $6, '', $6, '', $7,
        (select id from agent limit 1), $7"""
WORDS = """insert into page_word (word) select distinct w from unnest($1::text[]) w
    where length(w) between 3 and 40 on conflict do nothing"""


async def write_pages(connection: asyncpg.Connection, count: int) -> None:
    """Write `count` pages beside those of the city."""
    chance, now = random.Random(4), utc_now()
    found = " ".join(row["words"] for row in await connection.fetch(TEXTS)).lower().split()
    words = [word.strip("’'«».,;:()!?") for word in found]
    others = sorted({"".join(chance.choices(SYLLABLES, k=chance.randint(2, 5))) for _ in range(LANGUAGE)})
    chance.shuffle(others)
    frequent = list(itertools.accumulate(1 / place for place in range(1, len(others) + 1)))
    pages = []
    for number in range(count):
        text = chance.choices(words, k=OWN_WORDS)
        text += chance.choices(others, cum_weights=frequent, k=WORDS_A_PAGE - OWN_WORDS)
        chance.shuffle(text)
        title = " ".join(text[:6])
        pages.append((uuid7(), uuid7(), f"banc-{number}", title, " ".join(text[6:20]), " ".join(text), now))
    await connection.executemany(PAGE, [(page[1], page[2], now) for page in pages])
    await connection.executemany(VERSION, pages)
    await connection.execute(WORDS, [*words, *others], timeout=120)
