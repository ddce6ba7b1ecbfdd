"""Row-level security stands as it is drawn in `walls.txt`, and the drawing itself lets nobody through."""

from difflib import unified_diff

from tests.attacks.walls import DRAWN, HEAD, ground
from tests.conftest import Cluster

NEW = "\nIf this is meant, look at each line and run: python -m tests.attacks.walls"


async def test_the_walls_stand_as_they_are_drawn(cluster: Cluster) -> None:
    async with ground(cluster) as made:
        found = HEAD + await made.drawn()
    told = DRAWN.read_text(encoding="utf-8")
    assert found == told, "\n".join(unified_diff(told.splitlines(), found.splitlines(), "drawn", "found", n=0)) + NEW


def lines() -> list[tuple[str, str, str, str]]:
    """Give table, caller, and what it may do with the rows of the family and of the other one; of a table that is
    nobody's, with all rows and with none.
    """
    found = []
    for line in DRAWN.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            its, _, others = line[50:].partition("the other's:")
            found.append((line[:24].strip(), line[25:49].strip(), its.partition(":")[2].strip(), others.strip()))
    return found


def test_the_drawing_shows_every_table_with_rows_of_both_families() -> None:
    assert lines()
    assert [table for table, _, *seen in lines() if any("." in letters for letters in seen)] == []


def test_the_drawing_lets_nobody_see_or_write_without_saying_who_looks() -> None:
    for table, caller, *seen in lines():
        if caller in ("nobody", "the owner"):
            assert all(set(letters) <= {"-"} for letters in seen), (table, caller)


def test_the_drawing_lets_no_family_at_the_rows_of_another_one() -> None:
    for table, caller, its, others in lines():
        if caller == "the family":
            assert set(others) <= {"-"} and "t" not in its.lower(), table
        if caller == "another family":
            assert set(its) <= {"-"}, table


def test_the_drawing_lets_agents_of_other_services_see_no_procedure() -> None:
    for table, caller, its, _ in lines():
        if table.startswith("procedure") and caller in ("an agent of another one", "an agent of none"):
            # All rows of counts are one group: of those an agent has some, its own services'.
            own = set("siud") if table.startswith("procedure_count") and caller == "an agent of another one" else set()
            assert set(its) <= {"-", *own}, (table, caller)
