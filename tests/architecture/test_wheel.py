"""The wheel holds what runs and nothing else, and works away from the checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import fixline

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("api.py", "worker.py")
FOLDERS = ("workflows", "activities", "definitions", "fixline")
RUNNING = {".py", ".yaml", ".json", ".typed", ".mako", ".html", ".css", ".js", ".svg"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a command that must succeed, started as where this checkout is not on the path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FIXLINE_"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; what Fixline depends on is lent by the tests' environment.

    A path line in a .pth file adds that folder without reading the .pth files in it, so the editable install
    of this checkout stays out.
    """
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install"),
        *("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", wheel),
        cwd=home,
    )
    lent = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    target = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip()
    Path(target, "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
    return home


def test_the_wheel_holds_only_what_runs(names: set[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert tops == {*MODULES, *FOLDERS, f"fixline-{fixline.__version__}.dist-info"}
    assert not [name for name in names if name.endswith((".pyc", ".db")) or "__pycache__" in name]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_holds_all_that_runs(names: set[str]) -> None:
    wanted = set(MODULES) | {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in RUNNING
    }
    assert wanted - names == set()
    assert "fixline/py.typed" in names


def test_definitions_and_migrations_travel_along(names: set[str]) -> None:
    assert [name for name in names if name.startswith("definitions/") and name.endswith(".yaml")]
    assert [name for name in names if name.startswith("fixline/store/migrations/versions/") and name.endswith(".py")]


def test_the_installed_wheel_is_not_the_checkout(installed: Path) -> None:
    script = "import fixline, api, worker, workflows, activities; print(fixline.__file__, api.__file__, sep='\\n')"
    for line in run(installed / "bin" / "python", "-c", script, cwd=installed).split():
        assert Path(line).is_relative_to(installed), line


def test_the_installed_command_answers_from_another_folder(installed: Path, tmp_path: Path) -> None:
    said = run(installed / "bin" / "fixline", "--help", cwd=tmp_path)
    assert "Usage" in said
    assert re.search(r"\bup\b", said)
