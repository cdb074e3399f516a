"""The steps of .readthedocs.yaml, run in order in a clean environment, give the same site."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from planting import faults, planted_copy, put_into
from publish.host import site_address
from run.store import ENVIRONMENT_VARIABLE, PageStore

ROOT = Path(__file__).parents[2]
ORDER = ("create_environment", "install", "build")


def steps():
    config = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text())
    jobs = config["build"]["jobs"]
    assert tuple(jobs) == ORDER, "a host runs the jobs in this order; keep the file in it too"
    return [*jobs["create_environment"], *jobs["install"], *jobs["build"]["html"]]


def copy_checkout(folder):
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def host_environment(folder):
    ours = ("PYTHON", "PYTEST", "NOX", "VIRTUAL_ENV", "JAX_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = folder / "environment"
    python = Path(sys.executable).parent
    return kept | {
        "READTHEDOCS": "True",
        "READTHEDOCS_VIRTUALENV_PATH": str(environment),
        "READTHEDOCS_OUTPUT": str(folder / "output"),
        "READTHEDOCS_CANONICAL_URL": "https://docs.example/en/latest/",
        "READTHEDOCS_GIT_CLONE_URL": "https://github.example/owner/name.git",
        "READTHEDOCS_GIT_IDENTIFIER": "main",
        ENVIRONMENT_VARIABLE: str(PageStore.of(ROOT).folder),
        "PATH": os.pathsep.join([str(environment / "bin"), str(python), os.environ["PATH"]]),
    }


def files(site):
    found = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".doctrees/")}


def text(page):
    soup = BeautifulSoup(page.read_text(), "html.parser")
    # Buttons lead to the host's repository, and its checkout has a commit of its own.
    # Its history is not copied, so its pages have no dates.
    for part in soup.select(".bd-header-article, .build-facts, .last-updated"):
        part.decompose()
    return soup.get_text(" ", strip=True)


def check_same_site(hosted, built_site):
    """Compare a site that a host built with ours: it has the map and the cards besides."""
    more = files(hosted) - files(built_site)
    missing = files(built_site) - files(hosted)
    assert not missing, f"a host's site lacks {sorted(missing)}"
    assert "sitemap.xml" in more
    assert {Path(name).parts[:2] for name in more - {"sitemap.xml"}} == {
        ("_images", "social_previews")
    }
    for name in sorted(files(built_site)):
        if name.endswith(".html"):
            assert text(hosted / name) == text(built_site / name), name


@pytest.mark.parametrize(
    ("lost", "added", "words", "says"),
    faults(
        [
            ("a file is missing", ["claims.json"], [], "", r"lacks \['claims.json'\]"),
            ("no map", ["sitemap.xml"], [], "", "sitemap.xml"),
            ("a file too many", [], ["ran.txt"], "", "ran.txt"),
            ("other words", [], [], "leaking", "a-first-neuron.html"),
        ]
    ),
)
def test_difference_between_a_host_and_this_site_is_found(
    built_site, tmp_path, lost, added, words, says
):
    page = "tutorials/a-first-neuron.html"
    hosted = planted_copy(built_site, tmp_path / "hosted", page, put_into("h1", words))
    cards = hosted / "_images" / "social_previews"
    cards.mkdir(exist_ok=True)
    extras = ["sitemap.xml", "_images/social_previews/card.png", *added]
    for name in extras:
        (hosted / name).write_text("made by the host")
    for name in lost:
        (hosted / name).unlink()
    with pytest.raises(AssertionError, match=says):
        check_same_site(hosted, built_site)


def pythons():
    config = yaml.safe_load((ROOT / ".readthedocs.yaml").read_text())
    return config["build"]["tools"]["python"], "{}.{}".format(*sys.version_info)


@pytest.mark.slow
@pytest.mark.skipif(len(set(pythons())) > 1, reason="{} is not here but {}".format(*pythons()))
def test_hosted_steps_give_the_same_site_and_execute_no_page_again(built_site, tmp_path):
    checkout = tmp_path / "checkout"
    copy_checkout(checkout)
    environment = host_environment(tmp_path)
    output = ""
    for step in steps():
        done = subprocess.run(
            step, shell=True, cwd=checkout, env=environment, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{step}\n{output}"
    executed = [line for line in output.splitlines() if line.endswith(" s  run")]
    assert not executed, "the hosted environment must have the keys of this one"

    hosted = tmp_path / "output" / "html"
    check_same_site(hosted, built_site)
    index = (hosted / "index.html").read_text()
    assert "https://docs.example/en/latest/index.html" in index
    assert "https://github.example/owner/name" in index
    assert (
        "https://docs.example/en/latest/howto/make-training-fast.html"
        in (hosted / "sitemap.xml").read_text()
    )
    card = BeautifulSoup(index, "html.parser").find("meta", property="og:image")["content"]
    assert (hosted / card.removeprefix("https://docs.example/en/latest/")).stat().st_size > 1000
    neuron = (hosted / "downloads/tutorials/a-first-neuron.py").read_text()
    assert (
        "pip install --quiet https://docs.example/en/latest/downloads/trainable_spikes-" in neuron
    )
    assert "](https://docs.example/en/latest/" in neuron
    page = BeautifulSoup((hosted / "tutorials/a-first-neuron.html").read_text(), "html.parser")
    edit = page.select_one(".btn-source-edit-button")["href"]
    assert edit == "https://github.example/owner/name/edit/main/docs/tutorials/a-first-neuron.md"


def test_static_hosting_builds_with_the_command_of_the_readme_and_publishes_that_site():
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text())
    steps = workflow["jobs"]["build"]["steps"]
    (command,) = (step for step in steps if "run" in step)
    assert command["run"] in (ROOT / "README.md").read_text()
    assert "SITE_ADDRESS" in command["env"]
    assert site_address({"SITE_ADDRESS": "https://owner.example/name"}).endswith("/name/")
    (upload,) = (step for step in steps if "upload-pages-artifact" in step.get("uses", ""))
    assert upload["with"]["path"] in (ROOT / "noxfile.py").read_text()
    (checkout,) = (step for step in steps if "checkout" in step.get("uses", ""))
    assert checkout["with"]["fetch-depth"] == 0, "dates of pages come from the whole history"
