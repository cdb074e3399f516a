"""The reference: every public name with the arguments it really takes, and every symptom."""

import ast
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from pages.reference import names_used
from pages.symptoms import ANCHOR, symptoms_of
from run.page import list_pages, parse_page

ROOT = Path(__file__).parents[2]


def entries(site):
    soup = BeautifulSoup((site / "reference" / "api.html").read_text(), "html.parser")
    return {dt["id"]: dt.get_text() for dt in soup.select("dt.sig[id]")}


def public_names():
    tree = ast.parse((ROOT / "src" / "trainable_spikes" / "__init__.py").read_text())
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    names = next(node for node in assigned if node.targets[0].id == "__all__")
    return ast.literal_eval(names.value)


def test_every_public_name_has_an_entry(built_site):
    found = entries(built_site)
    missing = [name for name in public_names() if f"trainable_spikes.{name}" not in found]
    assert not missing, f"add these to docs/reference/api.md: {missing}"


def test_networks_show_their_own_arguments(built_site):
    signature = entries(built_site)["trainable_spikes.SpikingClassifier"]
    assert "n_hidden" in signature
    assert "*args" not in signature


def test_entries_list_the_pages_that_use_them(built_site):
    soup = BeautifulSoup((built_site / "reference" / "api.html").read_text(), "html.parser")
    lists = {
        p.find_parent("dl").dt["id"]: p
        for p in soup.select("dd > p")
        if p.get_text().startswith("Used by:")
    }
    links = {name: {a["href"] for a in p.select("a")} for name, p in lists.items()}
    assert "../tutorials/train-a-spiking-network.html" in links["trainable_spikes.Trainer"]
    assert "../tutorials/a-first-neuron.html" not in links["trainable_spikes.Trainer"]
    used = {f"../{page.docname}.html": names_used(page) for page in list_pages(ROOT)}
    for name in public_names():
        users = {page for page, names in used.items() if name in names}
        assert links.get(f"trainable_spikes.{name}", set()) == users, name


def test_reference_is_read_again_when_other_pages_use_an_entry_and_only_then(site):
    site.edit("src/trainable_spikes/__init__.py", "CONSTANT = 41", f"CONSTANT = 41{SPARE}")
    site.edit("docs/index.md", "reference/measured", "reference/measured\nreference/api")
    entry = "```{eval-rst}\n.. autofunction:: trainable_spikes.spare\n```\n"
    (site.root / "docs/reference/api.md").write_text(f"# Reference\n\n{entry}")
    site.build_well()
    assert "Used by" not in site.html("reference/api")

    site.edit("docs/first.md", "it may change", "`ts.spare` may change")
    assert site.build_well() == []
    assert 'href="../first.html"' in site.html("reference/api").split("Used by:")[1]

    site.edit("docs/first.md", "`ts.spare` may change", "`ts.spare` has changed")
    status, output = site.build()
    assert status == 0
    assert "] first" in output
    assert "] reference/api" not in output


SPARE = '\n\n\ndef spare():\n    """Return nothing."""'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("`ts.Trainer` and {py:func}`~trainable_spikes.rollout`", {"Trainer", "rollout"}),
        ("```{code-cell} python\nfrom trainable_spikes.data import A, B\n```", {"data", "A", "B"}),
        ("```{code-cell} python\n:tags: [remove-cell]\n\nts.record\n```", set()),
        ("prints.Trainer", set()),
    ],
)
def test_names_are_used_in_prose_and_in_visible_cells(text, names):
    assert names_used(parse_page("howto/page", f"{FRONT_MATTER}# Title\n\n{text}\n")) == names


FRONT_MATTER = (
    "---\ntitle: Title\ngives: Two.\nneeds: Nothing.\ndescription: Adds.\nkind: howto\n"
    "budget: 5\n---\n"
)


def test_symptoms_are_those_in_bold_where_a_page_does_not_work():
    text = (
        "# A\n\n**Not this.** No.\n\n## When it does not work\n\n"
        '**"It\nfails."** Why.\n\n**`x != y`.** So.\n\n## See also\n\n**Nor this.**\n'
    )
    assert symptoms_of(text) == ['"It fails"', "`x != y`"]


def test_every_symptom_is_listed_with_a_link_to_its_section(built_site):
    page = (built_site / "reference" / "find-your-problem.html").read_text()
    items = BeautifulSoup(page, "html.parser").select(".symptoms li")
    links = {link["href"] for item in items for link in item.select("a.reference")}
    sources = {path: path.read_text() for path in (ROOT / "docs").glob("*/*.md")}
    assert len(items) >= len({s for text in sources.values() for s in symptoms_of(text)}) > 40
    for path, text in sources.items():
        if symptoms_of(text):
            folder, name = path.parent.name, path.stem
            assert f"../{folder}/{name}.html#{ANCHOR}" in links, path
            assert f'id="{ANCHOR}"' in (built_site / folder / f"{name}.html").read_text()
