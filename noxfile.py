#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox"]
# ///
"""The project's commands, each with all of its own set-up: `nox -s docs`, `nox -s tests`."""

import hashlib
import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.reuse_existing_virtualenvs = True

SITE = Path("docs/_build/html")
# One file fixes what runs pages. The other two add to it and agree with it, so that a
# page has the same key, and runs once, whichever session comes first.
PAGES, RENDER, TESTS, LINT, LIVE = (
    f"requirements/{name}.txt" for name in ("pages", "site", "tests", "lint", "live")
)

# A worker a core, each with one file at a time; `-n 0` after it runs tests in one process.
WORKERS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def _install(session: nox.Session, *files: str) -> None:
    session.env["JAX_PLATFORMS"] = "cpu"
    # Asking pip takes longer than a rebuild after an edit of prose.
    stamp = Path(session.virtualenv.location).resolve() / "installed-for"
    if stamp.exists() and stamp.read_text() == _installed(stamp.parent, *files):
        session.log("The environment is up to date.")
        return
    stamp.unlink(missing_ok=True)
    session.install(*(word for file in (PAGES, RENDER, *files) for word in ("-r", file)))
    session.install("--no-deps", "-e", ".")
    # As an install, so that --no-install leaves no stamp either.
    write = f"import pathlib; pathlib.Path({str(stamp)!r}).write_text({{!r}})"
    session.run_install("python", "-c", write.format(_installed(stamp.parent, *files)), silent=True)


def _installed(environment: Path, *files: str) -> str:
    """Return a hash of what an environment should have, and of what it has."""
    wanted = [Path(file).read_text() for file in ("pyproject.toml", PAGES, RENDER, *files)]
    places = ("lib/python*/site-packages", "Lib/site-packages")
    found = {path.name for place in places for path in environment.glob(f"{place}/*.dist-info")}
    parts = [str(Path.cwd()), *wanted, *sorted(found)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@nox.session
def docs(session: nox.Session) -> None:
    """Execute the pages whose results are not at hand, and build the site."""
    _install(session)
    strict = ("-n", "-W", "--keep-going")
    doctrees = SITE.parent / "doctrees"
    session.run("python", "-m", "sphinx", *strict, "-b", "html", "-d", doctrees, "docs", SITE)
    index = (SITE / "index.html").resolve()
    session.log(f"The site is in {SITE}. Open {index.as_uri()} in a browser,")
    session.log(f"or run: python3 -m http.server -d {SITE}   and open http://localhost:8000")


@nox.session(default=False)
def inventories(session: nox.Session) -> None:
    """Ask other projects' sites what they document, and where: all, or those named."""
    _install(session)
    session.run("python", "-m", "pages.inventories", *session.posargs)


@nox.session(name="docs-live", default=False)
def docs_live(session: nox.Session) -> None:
    """Serve the site, and build again what is edited."""
    _install(session, LIVE)
    ignored = ("*/_build/*", "*/__pycache__/*", "*/reference/generated/*")
    folders = ("--watch", "src", *(word for each in ignored for word in ("--ignore", each)))
    options = ("-n", "-d", SITE.parent / "doctrees", "docs", SITE)
    session.run("sphinx-autobuild", *folders, *session.posargs, *options)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests; pages that `docs` has executed are not executed again."""
    _install(session, TESTS)
    session.run("python", "-m", "pytest", *WORKERS, *session.posargs)


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """Look at every page of the built site in a real browser."""
    _install(session, TESTS)
    session.run("python", "-m", "pytest", *WORKERS, "-m", "browser", *session.posargs)


@nox.session(default=False)
def planted(session: nox.Session) -> None:
    """Plant more faults than `tests` does, each of which a check has to find. Takes long."""
    _install(session, TESTS)
    session.run("python", "-m", "pytest", *WORKERS, "--planted", *session.posargs)


@nox.session(venv_backend="none", default=False)
def lighthouse(session: nox.Session) -> None:
    """Measure the built site with Lighthouse, behind a server that compresses. Takes long."""
    tool = Path("tests/lighthouse")
    folder = Path(session.create_tmp()).resolve()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(tool / name, folder / name)
    # What it installs is on the network, and runs nothing by being installed.
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund")
    session.run("npm", "ci", "--prefix", folder, *quiet, external=True)
    session.run("python3", tool / "measure.py", folder, SITE, *session.posargs, external=True)


@nox.session(default=False)
def snippets(session: nox.Session) -> None:
    """Run the cells of each page's script in an interpreter that has only the package."""
    _install(session)
    site = Path(os.environ.get("TRAINABLE_SPIKES_SITE", SITE)).resolve()
    wheels = list(site.glob("downloads/*.whl"))
    if len(wheels) != 1:
        session.error(f"expected a site with one wheel in {site}, got {wheels}: run nox -s docs")
    reader = Path(session.create_tmp()).resolve() / "reader"
    session.run("python", "-m", "venv", "--clear", reader)
    python = reader / ("Scripts" if os.name == "nt" else "bin") / "python"
    session.run(python, "-m", "pip", "install", "--quiet", "-c", PAGES, *wheels, external=True)
    session.run("python", "tests/snippets/paste_pages.py", python, site, *session.posargs)


@nox.session(default=False)
def mutations(session: nox.Session) -> None:
    """Break the training code line by line; pages and tests must notice. Takes long."""
    _install(session, TESTS)
    session.run("python", "tests/mutations.py", *session.posargs)


@nox.session(default=False)
def margins(session: nox.Session) -> None:
    """Run pages again with other seeds and record what they measure. Takes long."""
    _install(session, TESTS)
    session.run("python", "-m", "evidence.margins", *session.posargs)


@nox.session(default=False)
def falsify(session: nox.Session) -> None:
    """Run pages under changed inputs and record what they measure. Takes long."""
    _install(session, TESTS)
    session.run("python", "-m", "evidence.changed_inputs", *session.posargs)


@nox.session(default=False)
def evidence(session: nox.Session) -> None:
    """Record results too long for a build: all scripts of docs/evidence, or those named."""
    _install(session)
    scripts = sorted(Path("docs/evidence").glob("*.py"))
    for script in scripts:
        if not session.posargs or script.stem in session.posargs:
            session.run("python", script)


def _python(version: str) -> str:
    """An interpreter of a version: pyenv's newest, else the one on the path."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else f"python{version}"


@nox.session(python=_python("3.13"), default=False)  # one of the libraries needs 3.12 or later
def bench(session: nox.Session) -> None:
    """Time training steps of this package and of other libraries. Takes long."""
    session.install("-r", "requirements/bench-jax.txt")
    session.install("--no-deps", "-e", ".")
    torch = Path(session.create_tmp()).resolve() / "torch"
    python = torch / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        # For 3.11 there may be a build of torch for processors alone at hand.
        session.run(_python("3.11"), "-m", "venv", torch, external=True)
    # Without dependencies: some libraries ask for a torchvision that brings gigabytes of CUDA.
    packages = ("--no-deps", "-r", "requirements/bench-torch.txt")
    session.run(python, "-m", "pip", "install", "--quiet", *packages, external=True)
    # A record for each stage: each can be measured anew alone.
    growth, accuracy = (
        f"docs/gallery/data/benchmark_{name}.json" for name in ("growth", "accuracy")
    )
    stages = (
        ("--no-growth", "--no-accuracy"),
        ("--workloads", "--no-accuracy", "--output", growth),
        ("--workloads", "--no-growth", "--output", accuracy),
    )
    for stage in [session.posargs] if session.posargs else stages:
        session.run("python", "benchmarks/compare.py", "--torch-python", python, *stage)


@nox.session(name="claims-diff", default=False)
def claims_diff(session: nox.Session) -> None:
    """Print what moved between the claims.json files of two builds: OLD NEW."""
    _install(session)
    session.run("python", "-m", "claims.diff", *session.posargs)


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style and types, in the code cells of pages too."""
    _install(session, TESTS, LINT)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "tests/lint/lint_cells.py")
    session.run("python", "tests/lint/lint_claims.py")
    session.run("lint-imports")
    session.run("mypy")
    session.run("zizmor", "--offline", "--quiet", ".")
    session.run("repo-review", ".")


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write requirements/*.txt anew from requirements/*.in."""
    session.install("uv")
    # In this order: site.in and the rest are constrained by what comes before them.
    for name in ("pages", "site", "live", "tests", "lint"):
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--upgrade"),
            *("--python-version", "3.11", "--no-annotate", "--no-emit-index-url"),
            *("--no-emit-find-links", "--custom-compile-command", "nox -s lock"),
            *(f"requirements/{name}.in", "-o", f"requirements/{name}.txt"),
        )
    # The benchmark's environments agree with no other: they hold what is compared.
    for name, python, *options in (("jax", "3.12"), ("torch", "3.11", "--no-deps")):
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--upgrade", *options),
            *("--python-version", python, "--no-annotate", "--no-emit-index-url"),
            *("--no-emit-find-links", "--custom-compile-command", "nox -s lock"),
            *(f"requirements/bench-{name}.in", "-o", f"requirements/bench-{name}.txt"),
        )


if __name__ == "__main__":
    nox.main()
