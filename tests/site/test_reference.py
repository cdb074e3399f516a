"""The reference: every public name with the arguments it really takes, and every symptom."""

import ast
from pathlib import Path

from bs4 import BeautifulSoup

from symptoms import ANCHOR, symptoms_of

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
    missing = [
        name for name in public_names() if f"trainable_spikes.{name}" not in entries(built_site)
    ]
    assert not missing, f"add these to docs/reference/api.md: {missing}"


def test_networks_show_their_own_arguments(built_site):
    signature = entries(built_site)["trainable_spikes.SpikingClassifier"]
    assert "n_hidden" in signature
    assert "*args" not in signature


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
