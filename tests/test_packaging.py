"""Our package names are common words: nothing else may bring them. And nothing may depend on where packages are."""

import importlib.metadata
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schema", "resolvers", "db", "notifications", "gateway")
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-tools.txt")
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
    )
]


def committed_texts() -> dict[str, str]:
    """Give the text files of the repository by name; in a copy without git, what lies outside hidden folders."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True)
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    files = [ROOT / name for name in names if name] or [
        path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    contents = {str(path.relative_to(ROOT)): path.read_bytes() for path in files if path.is_file()}
    return {name: content.decode() for name, content in contents.items() if b"\0" not in content}


def pins(name: str) -> dict[str, str]:
    lines = re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE)
    return dict(lines)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_name_of_ours_is_brought_by_nothing_else(package: str) -> None:
    owners = importlib.metadata.packages_distributions().get(package, [])
    assert set(owners) <= {"kiosque-famille"}, f"installing {owners} overwrites our package {package}"
    found = importlib.util.find_spec(package)
    assert found is not None and found.origin is not None
    assert Path(found.origin) == ROOT / package / "__init__.py"


def test_no_package_registry_is_named_in_the_repository() -> None:
    found = [(name, host) for name, text in committed_texts().items() for host in REGISTRIES if host in text.lower()]
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"://|^-|@ ", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert blocks and all(re.match(r"[a-z0-9-]+==", block) and "--hash=sha256:" in block for block in blocks)


def test_tests_run_with_the_very_packages_of_the_program() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {each.name.lower().replace("_", "-"): each.version for each in importlib.metadata.distributions()}
    locked = pins("requirements-dev.txt")
    different = {name: version for name, version in installed.items() if locked.get(name, version) != version}
    assert different == {}
