"""The measuring of the site takes the heaviest pages, and says which medians fall short."""

import gzip
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "lighthouse"))

from compressing_server import compressed_size, serving
from measure import CATEGORIES, chosen, missed, result, weight


@pytest.fixture
def site(tmp_path):
    (tmp_path / "howto").mkdir()
    (tmp_path / "index.html").write_text("<h1>Landing</h1>")
    (tmp_path / "404.html").write_text("Nothing here")
    (tmp_path / "figure.svg").write_text("<svg>" + os.urandom(5000).hex() + "</svg>")
    for number in range(5):
        body = os.urandom(100 * (number + 1)).hex()
        (tmp_path / "howto" / f"page-{number}.html").write_text(f"<p>{body}</p>")
    return tmp_path


def test_text_comes_compressed_with_its_type_and_is_kept_a_while(site):
    with serving(site) as address:
        request = urllib.request.Request(f"{address}figure.svg?v=1")
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
            headers = answer.headers
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "image/svg+xml"
    assert headers["Cache-Control"] == "max-age=600"
    assert gzip.decompress(body) == (site / "figure.svg").read_bytes()
    assert len(body) == compressed_size(site / "figure.svg")


@pytest.mark.parametrize("path", ["nowhere.html", "../conftest.py", "howto/../../x"])
def test_what_is_not_in_the_folder_is_not_found(site, path):
    with serving(site) as address, pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address + path)


def test_the_landing_page_is_measured_and_the_three_heaviest(site):
    assert chosen(site) == ["index.html", *(f"howto/page-{number}.html" for number in (4, 3, 2))]


def test_a_figure_weighs_with_its_page_once_though_it_comes_for_two_themes(site):
    page = site / "howto" / "page-0.html"
    alone = weight(page)
    figure = '<img src="../figure.svg"><img class="for-dark" src="../figure-dark.svg">'
    page.write_text(page.read_text() + figure)
    added = weight(page) - alone
    assert abs(added - compressed_size(site / "figure.svg")) < 200
    assert chosen(site)[1] == "howto/page-0.html"


def test_a_folder_without_a_site_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="run nox -s docs"):
        chosen(tmp_path)


def test_the_median_decides_not_the_worst_run(site):
    scores = ([60, 92, 93, 91, 99], [60, 89, 93, 70, 99])
    passing, failing = (
        result(site, "index.html", "mobile", [run(each) for each in performance])
        for performance in scores
    )
    assert passing["medians"]["performance"] == 92
    assert passing["spread"]["performance"] == [60, 99]
    assert not missed([passing])
    (message,) = missed([failing])
    assert message.startswith("index.html on mobile: expected performance of at least 90, got")
    assert "89" in message
    assert "load 0.5 to 0.5" in message


def run(performance):
    scores = dict.fromkeys(CATEGORIES, 100) | {"performance": performance}
    return {"scores": scores, "failed": [], "load": 0.5}
