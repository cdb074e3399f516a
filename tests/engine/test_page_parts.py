"""The parts of the page machinery on their own: front matter, key, store, links."""

import dataclasses
import importlib.metadata
from pathlib import Path

import nbformat
import pytest

from lint_cells import repeated_code
from publish.host import theme_options
from run import key as keys
from run import schedule
from run.page import PageError, list_pages, parse_page
from run.provenance import Provenance
from run.store import KEPT_PER_PAGE, Execution, PageStore

ROOT = Path(__file__).parents[2]
FRONT_MATTER = (
    "title: Title\ngives: Two.\nneeds: Nothing.\ndescription: Adds.\nkind: howto\nbudget: 5\n"
)
PAGE = f"---\n{FRONT_MATTER}---\n# Title\n\n```{{code-cell}} python\n1 + 1\n```\n"


def key(text, root=ROOT):
    return keys.Keys(root).key(parse_page("howto/page", text))


def execution(text="1"):
    cell = nbformat.v4.new_code_cell(text)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    came = Provenance("3.11.7", "Linux", "a machine", {"jax": "0.10.2"}, "abc", False)
    return Execution(notebook, 2.0, 3.0, "2020-01-01T00:00:00", 2**20, 5, 1.5, came)


def test_cells_know_their_line_and_nested_ones_are_not_cells():
    page = parse_page("howto/page", PAGE)
    assert [(cell.source, cell.line) for cell in page.cells] == [("1 + 1", 11)]
    nested = PAGE + "\n:::{note}\n```{code-cell} python\n2\n```\n:::\n"
    assert len(parse_page("howto/page", nested).cells) == 1


@pytest.mark.parametrize("field", ["title", "gives", "needs", "description", "kind", "budget"])
def test_page_that_leaves_a_field_out_is_refused_with_what_to_write(field):
    lines = [line for line in PAGE.splitlines() if not line.startswith(f"{field}:")]
    with pytest.raises(PageError, match=rf"howto/page\.md: expected `{field}`.*Add"):
        parse_page("howto/page", "\n".join(lines))


@pytest.mark.parametrize("budget", ["0", "-1", "true", "soon", "[1]"])
def test_bad_budget_is_refused_with_what_came(budget):
    with pytest.raises(PageError, match=r"howto/page\.md: expected `budget`.*got"):
        parse_page("howto/page", PAGE.replace("budget: 5", f"budget: {budget}"))


def test_slow_machine_may_overrun_a_budget_by_half_and_no_more():
    page = parse_page("howto/page", PAGE)
    for seconds, failing in ((7.4, 0), (7.6, 1)):
        run = dataclasses.replace(execution(), cpu_seconds=seconds)
        assert len(schedule.budget_problems(page, run)) == failing


def test_all_unreadable_pages_are_named(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("a", "b"):
        (tmp_path / "docs" / f"{name}.md").write_text(PAGE.replace("kind: howto", "kind: poem"))
    with pytest.raises(PageError, match=r"(?s)docs/a\.md.*'poem'.*docs/b\.md"):
        list_pages(tmp_path)


@pytest.mark.parametrize("after", ["howto/gone", "howto/b"])
def test_page_that_follows_none_of_the_course_is_refused(tmp_path, after):
    (tmp_path / "docs" / "howto").mkdir(parents=True)
    for name in ("a", "b"):  # in the second case each follows the other
        text = PAGE.replace("kind:", f"after: {'howto/a' if name == 'b' else after}\nkind:")
        (tmp_path / "docs" / "howto" / f"{name}.md").write_text(text)
    with pytest.raises(PageError, match=r"docs/howto/a\.md: expected `after`.*Name the page"):
        list_pages(tmp_path)


def test_lines_on_more_than_two_pages_are_named_wherever_they_are_indented():
    lines = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5"
    indented = "if True:\n" + "\n".join(f"    {line}" for line in lines.splitlines())
    pages = [
        parse_page(f"howto/{n}", PAGE.replace("1 + 1", source))
        for n, source in enumerate([lines, indented, f"import x\n\n{lines}"])
    ]
    (found,) = repeated_code(pages)
    assert "docs/howto/0.md, docs/howto/1.md, docs/howto/2.md: expected code" in found
    assert "Move them to `src`" in found
    assert not repeated_code(pages[:2])
    pages[2] = parse_page("howto/2", PAGE.replace("1 + 1", lines.replace("c = 3", "c = 4")))
    assert not repeated_code(pages)


def test_key_follows_code_and_tags_and_ignores_prose():
    assert key(PAGE) == key(PAGE.replace("# Title", "# Another\n\nWith more prose."))
    assert key(PAGE) != key(PAGE.replace("1 + 1", "1 + 2"))
    assert key(PAGE) != key(PAGE.replace("1 + 1", ":tags: [raises-exception]\n1 + 1"))


def test_fingerprint_follows_resolved_versions_of_what_runs_pages(site, monkeypatch):
    before = keys.fingerprint(site.root)
    assert keys.fingerprint(site.root) == before
    real = importlib.metadata.version

    def version_but(changed):
        return lambda name: "999" if name == changed else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version_but("jax"))
    assert keys.fingerprint(site.root) != before
    monkeypatch.setattr(importlib.metadata, "version", version_but("sphinx"))
    assert keys.fingerprint(site.root) == before, "what only renders is not in the key"


def test_what_is_for_other_systems_is_not_in_the_fingerprint(site):
    requirements = site.root / keys.REQUIREMENTS
    before = keys.installed_versions(requirements)
    with requirements.open("a") as file:
        file.write('pytest ; sys_platform == "none"\n')
    assert keys.installed_versions(requirements) == before


def test_fingerprint_follows_python_and_ignores_bytecode_and_place(site, tmp_path, monkeypatch):
    before = keys.fingerprint(site.root)
    (site.root / "src/trainable_spikes/__pycache__").mkdir(exist_ok=True)
    (site.root / "src/trainable_spikes/__pycache__/x.pyc").write_bytes(b"x")
    moved = site.root.rename(tmp_path / "elsewhere")
    assert keys.fingerprint(moved) == before
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert keys.fingerprint(moved) != before


def test_store_returns_what_it_was_given_and_misses_what_is_damaged(tmp_path):
    store = PageStore(tmp_path)
    assert store.load("howto/page", "k") is None
    store.save("howto/page", "k", execution())
    found = store.load("howto/page", "k")
    assert (found.seconds, found.cpu_seconds) == (2.0, 3.0)
    assert found.notebook.cells[0].source == "1"
    (file,) = tmp_path.rglob("*.ipynb")
    for damaged in (b"", b"{}", file.read_bytes()[:-20], b"\0" * 100):
        file.write_bytes(damaged)
        assert store.load("howto/page", "k") is None
        assert store.last("howto/page") is None


def test_a_write_that_is_cut_short_leaves_the_old_run_and_the_next_one_clears_up(
    tmp_path, monkeypatch
):
    store = PageStore(tmp_path)
    store.save("howto/page", "k", execution())
    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.save("howto/page", "k", dataclasses.replace(execution(), seconds=7.0))
    monkeypatch.undo()
    assert store.load("howto/page", "k").seconds == 2.0
    assert list(tmp_path.rglob("*.part"))
    store.save("howto/page", "k", dataclasses.replace(execution(), seconds=7.0))
    assert store.load("howto/page", "k").seconds == 7.0
    assert not list(tmp_path.rglob("*.part"))


def interrupted(*_):
    raise KeyboardInterrupt


def test_store_keeps_a_bounded_number_of_runs_a_page(tmp_path):
    store = PageStore(tmp_path)
    for number in range(KEPT_PER_PAGE + 3):
        store.save("howto/page", f"k{number}", execution())
    assert len(list(tmp_path.rglob("*.ipynb"))) == KEPT_PER_PAGE
    assert store.load("howto/page", f"k{KEPT_PER_PAGE + 2}") is not None
    assert not list(tmp_path.rglob("*.part"))


def test_repository_links_come_from_the_host_or_not_at_all():
    assert theme_options({}) == {}
    assert theme_options({"READTHEDOCS_GIT_CLONE_URL": "git@host:o/n.git"}) == {}
    action = {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "o/n"}
    assert theme_options(action)["repository_url"] == "https://github.example/o/n"
    hosted = theme_options({"READTHEDOCS_GIT_CLONE_URL": "https://gitlab.example/o/n.git"})
    assert hosted["repository_url"] == "https://gitlab.example/o/n"
    assert hosted["repository_provider"] == "gitlab"
