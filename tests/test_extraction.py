"""The documents of a client, out of its sources into the registry: what is found, what is named as faulty."""

import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import schema
from gateway.extraction import Extraction
from gateway.limits import Limits
from gateway.manifests import Entry, ManifestRefused, read, written
from tests.conftest import Database
from tests.house import MASTER_KEY, opened

ROOT = Path(__file__).parents[1]
BUILT = schema.build()

KIND = "fragment KindParts on ProcedureKind {\n  code\n  service {\n    name\n  }\n}"
KINDS = """query Kinds($n: Int) {
  procedureKinds(first: $n) {
    edges {
      node {
        ...KindParts
      }
    }
  }
}"""
COSTLY = """query Q { procedures(first: 100) { edges { node { events(first: 100) { edges { cursor } } } } } }"""

WEB = {
    "kind.graphql": KIND,
    "kinds.ts": """
        // gql`query Commented { nothing }`
        const text = "gql`query Quoted { nothing }`"
        export const KINDS = gql<Kinds, Vars>`
          ${KIND_PARTS}
          query Kinds($n: Int) { procedureKinds(first: $n) { edges { node { ...KindParts } } } }
        `
        const page = `<p>${title} l'école</p>`
    """,
    "Terms.vue": """<template><p>L'accueil</p></template>
        <script setup>const { data } = useQuery(graphql(`query Terms { terms { version } }`))</script>""",
    "news.jsx": "const N = /* GraphQL */ `subscription News { news { cursor } }`",
    "node_modules/other/a.js": "gql`query Foreign { nothing }`",
    "readme.md": "gql`query Text { nothing }`",
    "schema.graphql": "type Local { a: Int }",
}
MOBILE = {
    "kinds.dart": 'final kinds = gql(r"""query Kinds { procedureKinds { totalCount } }""");',
    "terms.dart": "const t = gql('''query Terms(\\$v: Int) { terms(version: \\$v) { version } }''');",
    "News.kt": """
        /* gql(\"\"\"query Commented { nothing }\"\"\") */
        // language=GraphQL
        val news = \"\"\"subscription News { news(after: ${'$'}a) { cursor } }\"\"\"""".replace("(after: ${'$'}a)", ""),
    "Page.swift": 'let page = graphql("""\n  query Page($n: Int) { procedureKinds(first: $n) { totalCount } }\n""")',
}


def laid(folder: Path, files: dict[str, str]) -> Path:
    """Write some files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def extracted(folder: Path, *, typenames: bool = False) -> Extraction:
    """Extract from a folder."""
    extraction = Extraction(BUILT.graphql, Limits(), typenames)
    extraction.read([folder])
    return extraction


def found(folder: Path, files: dict[str, str]) -> dict[str, str]:
    """Give the texts found in some files, which are without fault, by name."""
    extraction = extracted(laid(folder, files))
    assert extraction.faults == []
    return {entry.name: entry.text for entry in extraction.entries}


def faults(folder: Path, files: dict[str, str]) -> list[tuple[str, int, str]]:
    """Give the faults of some files: name, line, sentence."""
    extraction = extracted(laid(folder, files))
    assert extraction.entries == []
    return [(Path(fault.file).name, fault.line, fault.message) for fault in extraction.faults]


def test_marked_texts_of_the_web_are_found_and_nothing_else(tmp_path: Path) -> None:
    texts = found(tmp_path, WEB)
    assert set(texts) == {"Kinds", "Terms", "News"}
    assert texts["Kinds"] == f"{KINDS}\n\n{KIND}", "printed, with the fragment of another file"


def test_marked_texts_of_the_apps_are_found(tmp_path: Path) -> None:
    texts = found(tmp_path, MOBILE)
    assert set(texts) == {"Kinds", "Terms", "News", "Page"}
    assert "($v: Int)" in texts["Terms"]


def test_fragments_are_joined_however_deep_and_stand_in_order(tmp_path: Path) -> None:
    texts = found(
        tmp_path,
        {
            "a.gql": "query Q { terms { ...Z } }  query Other { terms { version } }",
            "b.gql": "fragment Z on Terms { version ...A }",
            "c.gql": "fragment A on Terms { hash }  fragment Unused on Terms { hash }",
        },
    )
    assert [line for line in texts["Q"].splitlines() if line.startswith(("query", "fragment"))] == [
        "query Q {",
        "fragment A on Terms {",
        "fragment Z on Terms {",
    ]
    assert "fragment" not in texts["Other"]


def test_the_same_text_twice_is_one_document(tmp_path: Path) -> None:
    assert len(found(tmp_path, {"a.gql": "query Q { terms { hash } }", "b.ts": "gql`query Q{terms{hash}}`"})) == 1


def test_typenames_are_added_where_caches_add_them(tmp_path: Path) -> None:
    laid(tmp_path, {"a.gql": "query Q { terms { ...T } viewer { __typename } } fragment T on Terms { version }"})
    [entry] = extracted(tmp_path, typenames=True).entries
    assert entry.text == (
        "query Q {\n  terms {\n    ...T\n    __typename\n  }\n  viewer {\n    __typename\n  }\n}\n\n"
        "fragment T on Terms {\n  version\n  __typename\n}"
    )


@pytest.mark.parametrize(
    ("files", "file", "line", "words"),
    [
        ({"a.ts": "\n\ngql`\nquery Q {\n  nothing\n}`"}, "a.ts", 5, "Cannot query field 'nothing'"),
        ({"a.ts": "\ngql`query Q {\n  terms { version \n`"}, "a.ts", 4, "Syntax Error"),
        ({"a.gql": "\nquery Q { terms { ...Gone } }"}, "a.gql", 2, "Unknown fragment 'Gone'"),
        ({"a.gql": "\n\n{ terms { version } }"}, "a.gql", 3, "needs a name"),
        ({"a.ts": "gql`query Q {\n terms { ${fields} } }`"}, "a.ts", 2, "while the program runs"),
        ({"a.gql": "query Q { __schema { __typename } }"}, "a.gql", 1, "introspection"),
        ({"a.gql": "query Q($n: String) { procedureKinds(first: $n) { totalCount } }"}, "a.gql", 1, "'$n'"),
        (
            {"a.gql": "query Q { terms { hash } }", "b.gql": "\nquery Q { terms { version } }"},
            "b.gql",
            2,
            "something else in",
        ),
        (
            {
                "b.gql": "fragment F on Terms {\n nothing }",
                "a.gql": "query A { terms { ...F } } query B { terms { ...F } }",
            },
            "b.gql",
            2,
            "nothing",
        ),
        (
            {"a.gql": "\nquery Q { " + " ".join(f"t{n}: terms {{ hash }}" for n in range(21)) + " }"},
            "a.gql",
            2,
            "too many",
        ),
        ({"a.gql": COSTLY}, "a.gql", 1, "points of cost"),
    ],
)
def test_a_fault_is_named_by_file_and_line(
    tmp_path: Path, files: dict[str, str], file: str, line: int, words: str
) -> None:
    [(at, number, message)] = faults(tmp_path, files)
    assert (at, number) == (file, line) and words in message


def test_a_file_that_is_not_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"gql`\xff`")
    assert [fault.message for fault in extracted(tmp_path).faults] == ["The file is not in UTF-8."]


def entry(text: str) -> Entry:
    """Make an entry of a text."""
    return Entry(hashlib.sha256(text.encode()).hexdigest(), "Q", "query", text)


def test_apollos_list_is_written_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(written([entry("query Q { é }")]))
    told = json.loads(file.read_text())
    assert (told["format"], told["version"]) == ("apollo-persisted-query-manifest", 1)
    assert told["operations"][0] == {
        "id": hashlib.sha256("query Q { é }".encode()).hexdigest(),
        "body": "query Q { é }",
        "name": "Q",
        "type": "query",
    }
    assert read(file) == [entry("query Q { é }")]


def test_the_text_of_another_tool_keeps_its_hash(tmp_path: Path) -> None:
    """Spaces, comments and order are the client's business."""
    text = "# mine\nquery   Q{terms{version}}\n\n"
    file = tmp_path / "relay.json"
    file.write_text(json.dumps({entry(text).hash: text}))
    assert [(each.hash, each.text) for each in read(file)] == [(entry(text).hash, text)]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"format":"other","version":1,"operations":[]}',
        '{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}',
        '{"operations":[{"id":5}]}',
        '{"0cc175b9c0f1b6a831c399e269772661":"a"}',
        '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"b"}]}',
    ],
)
def test_another_list_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "list.json"
    file.write_text(content)
    with pytest.raises(ManifestRefused):
        read(file)


async def command(*arguments: object, database: str | None = None) -> tuple[int, str]:
    """Run `python -m gateway documents …`; give status and output."""
    line = [sys.executable, "-m", "gateway", "documents", *map(str, arguments)]
    line += ["--database", database] if database else []
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY}
    done = await asyncio.to_thread(
        subprocess.run, line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


async def sent(house: Any, text: str) -> Any:
    """Call a document by its hash; give the codes of its errors."""
    body = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": entry(text).hash}}}
    async with house.http.post(f"{house.url}/graphql", json=body) as answer:
        return [error["extensions"]["code"] for error in (await answer.json()).get("errors", [])]


async def test_from_the_sources_to_a_portal_in_production_and_out_again(city: Database, tmp_path: Path) -> None:
    sources, manifest = laid(tmp_path / "src", WEB), tmp_path / "web.json"
    status, told = await command("extract", sources, "--out", manifest)
    assert (status, told) == (0, f"Wrote 3 documents to {manifest}.\n")
    async with opened(city.dsn, server={"port": 0, "production": True}) as house:
        kinds = f"{KINDS}\n\n{KIND}"
        assert await sent(house, kinds) == ["PERSISTED_QUERY_NOT_FOUND"]
        status, told = await command("register", manifest, "--client", "web", database=city.dsn)
        assert (status, told) == (0, "3 documents of web: 3 new, 0 brought back, 0 known.\n")
        async with asyncio.timeout(10):
            while await sent(house, kinds) != []:
                await asyncio.sleep(0.01)
        status, told = await command("register", manifest, "--client", "web", database=city.dsn)
        assert (status, told) == (0, "3 documents of web: 0 new, 0 brought back, 3 known.\n")

        manifest.write_bytes(written([each for each in read(manifest) if each.name != "Kinds"]))
        status, told = await command("retire", "--client", "web", "--not-in", manifest, database=city.dsn)
        assert (status, told) == (0, "1 documents retired.\n")
        async with asyncio.timeout(10):
            while await sent(house, kinds) == []:
                await asyncio.sleep(0.01)
        _, told = await command("list", "--client", "web", database=city.dsn)
        lines = told.splitlines()
        assert len(lines) == 3 and [line for line in lines if "retired" in line and "Kinds" in line]
        acts = await house.connection.fetch(
            "select act, data::text from audit_entry where act like 'documents%' order by number"
        )
        assert [(row["act"], json.loads(row["data"])) for row in acts] == [
            ("documents_registered", {"client": "web", "documents": 3}),
            ("documents_retired", {"client": "web", "documents": 1}),
        ]


async def test_a_list_with_one_faulty_document_registers_nothing(city: Database, tmp_path: Path) -> None:
    manifest = tmp_path / "list.json"
    manifest.write_bytes(written([entry("query A { terms { hash } }"), entry("query B {\n nothing }")]))
    status, told = await command("register", manifest, "--client", "web", database=city.dsn)
    assert status == 1 and "(line 2) Cannot query field 'nothing'" in told
    status, told = await command("register", manifest, "--client", "The Web", database=city.dsn)
    assert status == 1 and "lower case" in told
    assert await command("list", database=city.dsn) == (0, "")


async def test_what_to_retire_must_be_clear(city: Database) -> None:
    for arguments in ((), ("--client", "web")):
        status, told = await command("retire", *arguments, database=city.dsn)
        assert status == 1 and "Name a hash" in told
    status, told = await command("retire", "0" * 64, database=city.dsn)
    assert (status, told) == (1, "0 documents retired.\n")


async def test_faults_in_the_sources_end_the_command_with_their_places(tmp_path: Path) -> None:
    sources = laid(tmp_path / "src", {"a.ts": "gql`\nquery Q { nothing }`"})
    status, told = await command("extract", sources, "--out", tmp_path / "out.json")
    assert status == 1 and f"{sources}/a.ts:2 Cannot query field 'nothing'" in told
    assert not (tmp_path / "out.json").exists()
