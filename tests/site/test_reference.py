"""The API reference documents every public name, with the arguments it really takes."""

import ast
from pathlib import Path

from bs4 import BeautifulSoup

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
