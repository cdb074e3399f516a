"""Pages are light: few bytes, nothing that moves while it loads, nothing that holds up the text."""

import os
import re
import time

import pytest
from bs4 import BeautifulSoup

from planting import faults, give, plant, put_into, take
from visits import MOST_WITHOUT_INTERACTION, fresh, problems_of_parts, problems_of_reading

# Scripts that a browser runs before it shows the text, by what is in them, with the reason.
BLOCKING = {"document.documentElement.dataset.theme": "a dark page would be light at first"}
ONE = "tutorials/a-first-neuron.html"


def problems(visits, names, check):
    both = (visits(names, *how) for how in (("desktop", "light"), ("phone", "dark")))
    return [(name, each[check]) for found in both for name, each in found.items() if each[check]]


def test_no_page_is_heavier_than_a_phone_loads_in_a_few_seconds(visits, html_names):
    assert not problems(visits, html_names, "weight")


def test_nothing_moves_while_a_page_loads_and_is_read(visits, html_names):
    assert not problems(visits, html_names, "shift")


def test_the_html_says_how_large_each_image_is(visits, html_names):
    assert not problems(visits, html_names, "sizes")


def test_a_heavy_page_is_noticed(browser, address):
    with fresh(browser, "desktop", "light") as page:
        noise = os.urandom(1000 * MOST_WITHOUT_INTERACTION).hex()
        plant(page, ONE, put_into("body", f"<!-- {noise} -->"))
        page.goto(address + ONE, wait_until="load")
        assert problems_of_reading(page)["weight"]


def test_a_figure_that_pushes_the_text_down_when_it_comes_is_noticed(browser, address):
    def late(route):
        time.sleep(0.5)
        route.continue_()

    with fresh(browser, "phone", "light") as page:
        plant(page, "index.html", take("img", "height"))
        page.route("**/*.svg", late)
        page.goto(f"{address}index.html", wait_until="load")
        assert problems_of_reading(page)["shift"]


SIZE_FAULTS = [
    ("no height", take("img", "height")),
    ("another height", give("img", "height", "9999")),
    ("no width", take("img", "width")),
]


@pytest.mark.parametrize("edit", faults(SIZE_FAULTS))
def test_an_image_without_its_own_size_is_noticed(page, address, edit):
    plant(page, "index.html", edit)
    page.goto(f"{address}index.html", wait_until="load")
    assert problems_of_parts(page)["sizes"]


def head_and_scripts(html):
    """A page without its text, which takes long to parse."""
    head, end, body = html.partition("</head>")
    return head + end + "".join(re.findall(r"<script\b[^>]*\bsrc=[^>]*>\s*</script>", body))


def head_faults(html, canonical=None):
    """What the head of a page lacks, and which of its scripts hold up the text."""
    soup = BeautifulSoup(head_and_scripts(html), "html.parser")
    described = soup.select('head meta[name="description"]')
    links = [link["href"] for link in soup.select('head link[rel="canonical"]')]
    faults = {
        "no language": not soup.html.get("lang"),
        "no title": not (soup.title and soup.title.get_text(strip=True)),
        "no description, or two": [len(each["content"].split()) > 3 for each in described]
        != [True],
        f"canonical links {links}": canonical is not None and links != [canonical],
    }
    return [what for what, wrong in faults.items() if wrong] + blocking_scripts(soup)


def blocking_scripts(soup):
    scripts = [
        script
        for script in soup.select("head script, script[src]")
        if not (script.has_attr("defer") or script.has_attr("async"))
        and script.get("type", "text/javascript") == "text/javascript"
    ]
    known = [script for script in scripts if any(part in script.text for part in BLOCKING)]
    return [f"holds up the text: {str(each)[:120]}" for each in scripts if each not in known]


def test_every_page_says_what_it_is_and_no_script_holds_it_up(built_site, html_names):
    found = {name: head_faults((built_site / name).read_text()) for name in html_names}
    assert not {name: faults for name, faults in found.items() if faults}


def test_every_page_has_one_address_where_the_host_gives_one(site, monkeypatch):
    monkeypatch.setenv("SITE_ADDRESS", "https://docs.example/guides/")
    site.build_well()
    for name in ("first", "second", "index", "search", "genindex", "reference/measured"):
        assert not head_faults(site.html(name), f"https://docs.example/guides/{name}.html"), name


HEAD_FAULTS = [
    ("no language", take("html", "lang")),
    ("no title", take("title")),
    ("no description", take("meta[name=description]")),
    ("two descriptions", put_into("head", '<meta name="description" content="One more of it." />')),
    ("a script to wait for", put_into("head", '<script src="x.js"></script>')),
    ("a script of its own", put_into("head", "<script>document.title</script>")),
    (
        "two addresses",
        put_into("head", '<link rel="canonical" href="https://docs.example/x.html">'),
    ),
]


@pytest.mark.parametrize("edit", faults(HEAD_FAULTS))
def test_a_faulty_head_is_noticed(built_site, edit):
    html = (built_site / ONE).read_text()
    address = f"https://docs.example/{ONE}"
    whole = put_into("head", f'<link rel="canonical" href="{address}">')(html)
    assert not head_faults(whole, address)
    assert head_faults(edit(whole), address)
