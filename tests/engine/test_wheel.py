"""What is installed is whole: types, data and licences, from an archive built anew."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "trainable_spikes"


def test_wheel_and_sdist_hold_every_file_of_the_package(tmp_path):
    command = [sys.executable, "-m", "build", "--no-isolation", "-o", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "py.typed" in expected
    assert any(name.startswith("_data/") for name in expected)

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    held = {n.removeprefix("trainable_spikes/") for n in names if n.startswith("trainable_spikes/")}
    assert held == expected
    assert {Path(name).name for name in names} >= {
        "LICENSE",
        "LICENSE-docs",
        "LICENSE-fashion-mnist",
    }

    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/src/trainable_spikes/")[2] for name in archive.getnames()}
    assert expected <= inside
