"""Compiled programs are kept for later runs: exactly, for this machine only, and never half."""

import asyncio
import dataclasses
import os
import tempfile
from itertools import count
from pathlib import Path

import pytest

from run import programs
from run.kernel import kernel_environment, prepare, run_page
from run.key import Keys
from run.page import parse_page
from run.programs import lend, processor, programs_folder, take_back
from run.schedule import short_folder

ROOT = Path(__file__).parents[2]
PAGE = """---
title: Compiles
kind: howto
gives: Something to run.
needs: Nothing.
description: A page of a test.
budget: 100
---

```{code-cell} python
import jax
import jax.numpy as jnp

x = jnp.linspace(0.0, 1.0, 301)


def steps(x):
    return jax.lax.fori_loop(0, 9, lambda i, y: jnp.sin(y @ x) * y, x).sum()


step = jax.jit(jax.grad(steps))
print(step(x).tobytes().hex())
print(step.lower(x).compile().memory_analysis().temp_size_in_bytes)
print(jax.config.jax_compilation_cache_dir is None)
```
"""
SECONDS = []  # of compiling, run by run
CPU = "processor: 0\nmodel name : A\nflags : {}\nbogomips: {}\n\nprocessor: 1\nmodel name : A\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a page, of this text and front matter, with a folder of kept programs."""
    settings = tmp_path_factory.mktemp("settings")
    environment = kernel_environment(ROOT, settings)
    prepare(environment)
    number = count()
    with tempfile.TemporaryDirectory(dir=short_folder()) as sockets:

        def run(programs, more="budget: 100"):
            page = parse_page("howto/compiles", PAGE.replace("budget: 100", more))
            socket = Path(sockets, str(next(number)))
            found = asyncio.run(run_page(page, settings, environment, socket, programs))
            assert found.problems == []
            assert not Path(f"{socket}.programs").exists()
            SECONDS.append(found.compile_seconds)
            return found.compiled, "".join(o.text for o in found.notebook.cells[0].outputs)

        yield run


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_page_with_kept_programs_compiles_nothing_and_shows_the_same(run, tmp_path):
    kept = tmp_path / "kept"
    compiled, cold = run(kept)
    assert compiled == len(files(kept)) > 0
    assert run(kept) == (0, cold)
    slow, fast = SECONDS[-2:]
    assert 0 < fast < slow < 60, "seconds of compiling, and of finding what was compiled"
    assert cold.endswith("False\n")
    assert run(None) == (0, cold.replace("False", "True")), "the same without kept programs"

    damaged = max(kept.iterdir(), key=lambda path: path.stat().st_size)
    whole = damaged.read_bytes()
    damaged.unlink()  # not in place: a page may still have the same bytes
    damaged.write_bytes(whole[: len(whole) // 2])
    assert run(kept) == (1, cold), "a damaged program is compiled again, without a warning"
    assert len(files(kept)) == compiled


def test_page_that_compiles_itself_gets_no_programs_and_leaves_none(run, tmp_path):
    compiled, text = run(tmp_path / "kept", more="budget: 100\ncompiles: true")
    assert compiled == 0
    assert text.endswith("True\n")
    assert not (tmp_path / "kept").exists()


def test_front_matter_that_turns_it_off_is_in_the_key_of_the_page():
    page = parse_page("howto/compiles", PAGE)
    itself = dataclasses.replace(page, compiles=True)
    assert Keys(ROOT).key(page) != Keys(ROOT).key(itself)


def test_another_processor_has_another_folder(tmp_path, monkeypatch):
    description = tmp_path / "cpuinfo"
    found = []
    for flags, bogomips in (("fma avx2", 1), ("fma avx2", 2), ("fma avx2 avx512f", 2)):
        description.write_text(CPU.format(flags, bogomips))
        facts = processor(description)
        monkeypatch.setattr(programs, "processor", lambda facts=facts: facts)
        found.append(programs_folder(tmp_path, 1))
    assert found[0] == found[1] != found[2]


def test_another_version_of_the_compiler_has_another_folder(tmp_path, monkeypatch):
    here = programs_folder(tmp_path, 1)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0")
    assert programs_folder(tmp_path, 1) != here


def test_another_number_of_cores_has_another_folder(tmp_path):
    assert programs_folder(tmp_path, 1) != programs_folder(tmp_path, 2)


def test_what_a_page_has_not_ended_well_with_is_not_kept(tmp_path):
    # A kill in the middle of `take_back` leaves a part, in the middle of a page nothing at all.
    kept, own = tmp_path / "kept", tmp_path / "own"
    kept.mkdir()
    (kept / "jit_f-12-cache.77.part").write_bytes(b"ha")
    lend(kept, own)
    assert files(own) == []
    (own / "jit_f-12-cache").write_bytes(b"half no more")
    assert take_back(own, kept) == 1
    lend(kept, tmp_path / "other")
    assert (tmp_path / "other/jit_f-12-cache").read_bytes() == b"half no more"


def test_program_that_two_builds_kept_at_once_stays_whole(tmp_path):
    kept = tmp_path / "kept"
    for builder in ("one", "two"):
        lend(tmp_path / "nothing", tmp_path / builder)
        (tmp_path / builder / "jit_f-12-cache").write_bytes(builder.encode())
    take_back(tmp_path / "one", kept)
    take_back(tmp_path / "two", tmp_path / "late")
    (late,) = (tmp_path / "late").iterdir()
    late.rename(kept / late.name)
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    lend(kept, tmp_path / "page")
    assert (tmp_path / "page/jit_f-12-cache").read_bytes() in (b"one", b"two")
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert len(before) == 2


def test_oldest_programs_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "MOST_BYTES", 250)
    kept = tmp_path / "kept"
    for age, name in enumerate("abcd"):
        lend(tmp_path / "nothing", tmp_path / name)
        (tmp_path / name / f"jit_{name}-0-cache").write_bytes(name.encode() * 100)
        take_back(tmp_path / name, kept)
        for path in kept.glob(f"*jit_{name}-*"):
            os.utime(path, (age, age))
    assert sorted(name.split("jit_")[1][0] for name in files(kept)) == ["c", "d"]
