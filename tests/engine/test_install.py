"""The commands install into their environment once, and again when anything about it changes."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


class Session:
    """What `_install` uses of nox: installs are counted, and skipped with `--no-install`."""

    def __init__(self, location, no_install=False):
        self.env = {}
        self.virtualenv = SimpleNamespace(location=str(location))
        self.no_install = no_install
        self.installs = 0

    def install(self, *arguments):
        self.installs += not self.no_install

    def run_install(self, *command, silent):
        if not self.no_install:
            subprocess.run([sys.executable, *command[1:]], check=True)

    def log(self, text): ...


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs for a session, and returns how many installs that took."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "env/lib/python3.11/site-packages/jax-1.dist-info").mkdir(parents=True)
    stub = SimpleNamespace(options=SimpleNamespace(), Session=Session)
    stub.session = lambda function=None, **_: function or (lambda function: function)
    monkeypatch.setitem(sys.modules, "nox", stub)
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    noxfile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(noxfile)

    def install(*files, **options):
        session = Session(tmp_path / "env", **options)
        noxfile._install(session, *files)
        return session.installs

    return install


def test_second_install_is_skipped(install):
    assert install() == 2
    assert install() == 0


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements/pages.txt"])
def test_edited_file_installs_again(install, tmp_path, file):
    install()
    with open(tmp_path / file, "a") as opened:
        opened.write("# edited\n")
    assert install() == 2


def test_another_session_with_more_files_installs_again(install):
    install()
    assert install("requirements/lint.txt") == 2


def test_environment_that_somebody_changed_installs_again(install, tmp_path):
    install()
    packages = tmp_path / "env/lib/python3.11/site-packages"
    (packages / "jax-1.dist-info").rename(packages / "jax-2.dist-info")
    assert install() == 2


def test_no_install_does_not_pass_for_an_install(install):
    assert install(no_install=True) == 0
    assert install() == 2
