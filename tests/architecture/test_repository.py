"""What must hold of the files themselves: direction of imports, locks, and nothing of one machine in them."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
LONGEST_FILE = 500
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".txt",
    ".json",
    ".cfg",
    ".ini",
    ".html",
    ".css",
    ".js",
    ".svg",
    ".mako",
    "",
}
NOT_OURS = {".git", ".venv", "__pycache__", "fixline-data", "dist", "build", "node_modules"}

# Put together from parts, so that this file does not contain what it forbids.
MACHINE_PATH = re.compile(
    r"(?<![\w.$}/-])/(?:"
    + "|".join(("work", "root", "farm", r"home/\w+", r"Users/\w+", r"opt/\w*venv"))
    + r")(?:/|\b)(?![\w-])"
)
INDEX_ADDRESS = re.compile(
    "|".join(("--" + r"(?:extra-)?index-url", "--" + "find-links", "--trusted" + "-host", r"https?:", r"file:"))
)
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")


def tracked() -> list[Path]:
    """The files under version control; without git (a source archive), all but what running leaves behind."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
        ).stdout.split("\0")
        found = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in found if path.is_file())


VENDORED = ROOT / "fixline/web/assets"
"""Other projects' published files, kept to the letter."""


def lines_of(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def imported(path: Path) -> set[str]:
    """The dotted names that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def under(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def of_the_standard_library(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.slow
def test_imports_point_one_way() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(command), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_import_temporal_and_messages_only() -> None:
    known = ("temporalio", "fixline.messages", "fixline.search_attributes", "workflows")
    strangers = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "workflows").rglob("*.py")
        for name in imported(path)
        if not of_the_standard_library(name) and not under(name, *known)
    }
    assert strangers == set()


def test_messages_stand_on_the_standard_library() -> None:
    package = ROOT / "fixline" / "messages"
    files = list(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
    strangers = {
        name
        for path in files
        for name in imported(path)
        if not of_the_standard_library(name) and not under(name, "fixline.messages")
    }
    assert strangers == set()


@pytest.mark.parametrize("root", ["api.py", "worker.py"])
def test_composition_roots_are_short_and_read_no_yaml(root: str) -> None:
    path = ROOT / root
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120
    assert not [name for name in imported(path) if under(name, "yaml")]


def test_nothing_of_the_product_imports_the_tests() -> None:
    product = [path for path in python_files() if path.relative_to(ROOT).parts[0] not in {"tests", "bench"}]
    assert not [path for path in product for name in imported(path) if under(name, "tests", "bench", "holidays")]


def test_no_test_is_imported() -> None:
    """What tests share stands in tests/support, which knows no test."""
    tests = [path for path in python_files() if path.relative_to(ROOT).parts[0] == "tests"]
    assert not [
        f"{path.relative_to(ROOT)}: {name}"
        for path in tests
        for name in imported(path)
        if under(name, "tests") and any(part.startswith("test_") for part in name.split("."))
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_hashed(lock: str) -> None:
    # One package is one logical line: `name==version ; marker \` and its hashes, each on a continued line.
    logical = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    packages = [line for line in logical if line.strip() and not line.lstrip().startswith("#")]
    assert packages
    loose = [line for line in packages if not re.match(r"^[\w.\[\],-]+==\S+.*\s--hash=sha256:[0-9a-f]{64}", line)]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_package_index(lock: str) -> None:
    assert [where for where, line in lines_of([ROOT / lock]) if INDEX_ADDRESS.search(line)] == []


def test_both_locks_agree() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.txt") - pins("requirements-dev.txt") == set()


def test_no_path_of_one_machine() -> None:
    texts = [path for path in tracked() if path.suffix in TEXT and VENDORED not in path.parents]
    assert [f"{where}: {line.strip()}" for where, line in lines_of(texts) if MACHINE_PATH.search(line)] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd /" + "work/main", True),
        ("'/" + "root/.cache'", True),
        ("/" + "home/anna/fixline", True),
        ("GET /requests/1/work/", False),
        ("see docs/work/notes and https://example.org/root/", False),
        ("/workflows", False),
        ("/work-orders", False),
    ],
)
def test_the_search_for_machine_paths_finds_them(line: str, found: bool) -> None:
    assert bool(MACHINE_PATH.search(line)) is found


def test_no_file_asks_for_a_second_room() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > LONGEST_FILE} == {}


def test_nothing_is_left_unfinished() -> None:
    assert [where for where, line in lines_of(python_files()) if UNFINISHED.search(line)] == []
