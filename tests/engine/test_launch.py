"""Colab and Binder: buttons where a host publishes notebooks, and to those that are there."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from publish.host import notebooks
from publish.launch import addresses
from publish.notebooks_branch import lay_out

ROOT = Path(__file__).parents[2]
ACTIONS = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "owner/name"}
HOST = {
    **ACTIONS,
    "SITE_ADDRESS": "https://owner.example/name",
    "NOTEBOOKS_BRANCH": "notebooks",
}
COLAB = "https://colab.research.google.com/github/owner/name/blob/notebooks/"
BINDER = "https://mybinder.org/v2/gh/owner/name/notebooks"
SERVICES = ("//colab.research.google.com/", "//mybinder.org/")


def buttons(html):
    links = BeautifulSoup(html, "html.parser").select("a[href]")
    return [a["href"] for a in links if any(service in a["href"] for service in SERVICES)]


@pytest.mark.parametrize(
    ("host", "place"),
    [
        (HOST, "owner/name/notebooks"),
        (ACTIONS, ""),
        ({"NOTEBOOKS_BRANCH": "notebooks"}, ""),
        ({**HOST, "GITHUB_SERVER_URL": "https://git.example"}, ""),
        (
            {
                "READTHEDOCS_GIT_CLONE_URL": "https://github.com/owner/name.git",
                "NOTEBOOKS_BRANCH": "notebooks",
            },
            "owner/name/notebooks",
        ),
        ({"READTHEDOCS_GIT_CLONE_URL": "https://github.com/owner/name.git"}, ""),
        ({}, ""),
    ],
)
def test_only_a_host_that_names_a_branch_on_github_publishes_notebooks(host, place):
    assert notebooks(host) == place


def test_addresses_name_the_notebook_of_the_page():
    assert addresses("owner/name/some/branch", "howto/page") == {
        "Colab": "https://colab.research.google.com/github/owner/name/blob/some/branch/howto/page.ipynb",
        "Binder": "https://mybinder.org/v2/gh/owner/name/some%2Fbranch?labpath=howto%2Fpage.ipynb",
    }


def test_pages_with_code_have_buttons_where_the_host_publishes_notebooks_and_nowhere_else(site):
    assert not [each for name in ("index", "first", "second") for each in buttons(site.html(name))]

    status, output = site.build(**HOST)
    assert status == 0, output
    assert site.executed() == []
    assert buttons(site.html("index")) == []
    for name in ("first", "second"):
        assert buttons(site.html(name)) == [
            f"{COLAB}{name}.ipynb",
            f"{BINDER}?labpath={name}.ipynb",
        ]

    status, output = site.build()
    assert status == 0, output
    assert not buttons(site.html("first"))


def git(folder, *command):
    done = subprocess.run(
        ["git", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def publishing_step():
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text())
    job = workflow["jobs"]["notebooks"]
    assert job["needs"] == "deploy", "the notebooks install a wheel that has to be there"
    (step,) = (step for step in job["steps"] if "run" in step)
    return workflow["env"]["NOTEBOOKS_BRANCH"], step["run"]


def test_workflow_pushes_the_notebooks_that_the_buttons_open(site, tmp_path):
    status, output = site.build(**HOST)
    assert status == 0, output
    branch, step = publishing_step()
    assert branch == HOST["NOTEBOOKS_BRANCH"]
    origin, checkout = tmp_path / "origin.git", tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(checkout))
    (checkout / "docs").mkdir()
    (checkout / "docs" / "_ext").symlink_to(ROOT / "docs" / "_ext")
    (checkout / ".gitignore").write_text("*.ipynb\n")
    git(checkout, "add", ".gitignore")
    git(checkout, "-c", "user.name=A", "-c", "user.email=a@example", "commit", "-qm", "Start")
    (checkout / "downloads").symlink_to(site.root / "docs/_build/html/downloads")
    for _ in range(2):  # a branch that is there is written anew
        done = subprocess.run(
            ["bash", "-e", "-c", f"python() {{ '{sys.executable}' \"$@\"; }}\n{step}"],
            cwd=checkout,
            env={"PATH": "/usr/bin:/bin", "NOTEBOOKS_BRANCH": branch, "GITHUB_SHA": "0" * 40},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        git(checkout, "checkout", "--quiet", "--force", "--detach", "HEAD")
        git(checkout, "branch", "--quiet", "-D", branch)

    files = git(origin, "ls-tree", "-r", "--name-only", branch).split()
    assert files == ["first.ipynb", "requirements.txt", "runtime.txt", "second.ipynb"]
    for name in ("first", "second"):
        colab, binder = buttons(site.html(name))
        assert colab.removeprefix(COLAB) in files
        assert parse_qs(urlsplit(binder).query)["labpath"][0] in files
    cells = json.loads(git(origin, "show", f"{branch}:first.ipynb"))["cells"]
    install = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    wanted = git(origin, "show", f"{branch}:requirements.txt").split()
    assert install.split() == ["%pip", "install", "--quiet", *wanted]
    assert wanted[0].startswith("https://owner.example/name/downloads/trainable_spikes-")


def test_notebooks_of_a_site_without_an_address_are_not_published(site, tmp_path):
    with pytest.raises(SystemExit, match="SITE_ADDRESS"):
        lay_out(site.root / "docs/_build/html/downloads", tmp_path / "branch")
    assert not (tmp_path / "branch").exists()
