"""What the repository never holds: addresses of registries, paths of a machine, outputs."""

import re
import subprocess
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
# Written in halves, so that this file does not hold what it looks for.
HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "deb" + "ian.org", "conda" + ".")
FOLDERS = ("ro" + "ot", "ho" + "me", "Us" + "ers", "wo" + "rk", "tm" + "p")
FORBIDDEN = re.compile(
    "|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.}}])/{f}/" for f in FOLDERS)])
)


def checked_in():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_registry_host_and_no_path_of_a_machine():
    found = []
    for path in checked_in():
        try:
            lines = path.read_text(encoding="utf8").splitlines()
        except UnicodeDecodeError:
            continue  # binary data
        hits = (f"{path.name}:{n}: {line}" for n, line in enumerate(lines, 1))
        found += [hit for hit in hits if FORBIDDEN.search(hit)]
    assert not found, "\n".join(found)


def test_no_notebooks_and_no_build_results():
    names = [path.relative_to(ROOT).as_posix() for path in checked_in()]
    results = [n for n in names if n.endswith(".ipynb") or "_build/" in n or ".page-cache/" in n]
    assert not results


def test_requirement_files_pin_every_version_without_addresses():
    for path in (ROOT / "requirements").glob("*.txt"):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert lines
        loose = [line for line in lines if "==" not in line or "://" in line or "@" in line]
        assert not loose, f"{path.name}: expected name==version, got {loose}; run nox -s lock"


def test_requirement_files_agree_where_they_name_the_same_distribution():
    pins = {}
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        if path.name.startswith("bench-"):  # environments of their own, beside other libraries
            continue
        for line in path.read_text().splitlines():
            if "==" in line:
                pin = Requirement(line)
                for python in ("3.11", "3.12", "3.13"):
                    full = {"python_version": python, "python_full_version": f"{python}.0"}
                    if pin.marker is None or pin.marker.evaluate(full):
                        found = pins.setdefault((pin.name, python), {})
                        found.setdefault(str(pin.specifier), []).append(path.name)
    clashes = {pin: versions for pin, versions in pins.items() if len(versions) > 1}
    assert not clashes, f"expected one version each, got {clashes}; run nox -s lock"
