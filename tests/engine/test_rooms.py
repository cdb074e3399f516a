"""The house of the engine: its arrows, its size, and one way into it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "docs" / "_ext"
ROOMS = ("run", "claims", "evidence", "figures", "pages", "publish")


def lint_imports(folder):
    """Check the contracts of pyproject.toml on the engine in a folder."""
    paths = [str(folder / "docs" / "_ext"), str(folder / "src")]
    code = f"import sys; sys.path[:0] = {paths}; from importlinter.cli import lint_imports; "
    code += "sys.exit(lint_imports(no_cache=True))"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("run/disk.py", "import claims.words", "Rooms import only rooms below them BROKEN"),
        ("figures/sizes.py", "import claims.words", "Figures and publish know nothing of claims"),
        ("claims/words.py", "import brainstate", "The engine knows nothing of spiking networks"),
        ("run/disk.py", "import run.key", "No room and no module goes in a circle BROKEN"),
    ],
)
def test_an_arrow_that_points_upward_breaks_the_contract(tmp_path, file, line, broken):
    for name in ("docs/_ext", "src"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    whole = lint_imports(tmp_path)
    assert whole.returncode == 0, whole.stdout
    path = tmp_path / "docs" / "_ext" / file
    path.write_text(f"{path.read_text()}\n{line}\n")
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert broken in done.stdout


def test_the_engine_is_six_rooms_of_a_size_that_can_be_read():
    assert sorted(p.name for p in ENGINE.iterdir() if p.is_dir() and p.name[0] != "_") == sorted(
        ROOMS
    )
    lines = {path: len(path.read_text().splitlines()) for path in ENGINE.rglob("*.py")}
    assert max(lines.values()) <= 350, max(lines, key=lines.get)
    assert sum(lines.values()) <= 5600


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_has_one_setup_and_its_modules_have_none(room):
    texts = {path.name: path.read_text() for path in (ENGINE / room).rglob("*.py")}
    assert [name for name, text in texts.items() if "def setup(" in text] == ["__init__.py"]


def test_conf_names_the_six_rooms_and_paths_are_set_in_one_place():
    conf = (ROOT / "docs" / "conf.py").read_text()
    assert [room for room in ROOMS if f'    "{room}",\n' in conf] == list(ROOMS)
    with_paths = [
        path.relative_to(ROOT).as_posix()
        for folder in ("docs", "src", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        if "_build" not in path.parts and "sys.path" in path.read_text()
    ]
    assert with_paths == ["docs/conf.py"]
