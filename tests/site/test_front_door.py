"""The landing page and the README say the same, and the course leads to every page."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from planting import faults, give, planted_copy, put_into
from site_pages import PAGES, ROOT

WAYS_IN = ("I want to learn it", "I want to get something done", "Mine does not work")


def read(site, docname):
    return BeautifulSoup((site / f"{docname}.html").read_text(), "html.parser").article


def words(text):
    return " ".join(re.sub(r"[`*]", "", text).split())


def test_readme_and_landing_page_open_alike_and_give_the_same_command(built_site):
    check_opening(built_site)


def check_opening(site):
    readme = (ROOT / "README.md").read_text()
    landing = read(site, "index")
    opening = words(landing.p.get_text())
    assert opening == words(readme.split("\n\n")[1])
    command = landing.select_one("pre").get_text().strip()
    assert "nox -s docs" in command
    assert f"\n{command}\n" in readme
    titles = [words(title.get_text()) for title in landing.select(".sd-card-title")]
    assert tuple(titles) == WAYS_IN
    for way in WAYS_IN:
        assert f"**{way}.**" in readme


def test_landing_page_shows_a_picture_that_a_page_computed(built_site):
    check_picture(built_site)


def check_picture(site):
    (figure,) = read(site, "index").select("figure")
    assert len(figure.img["alt"]) > 80
    assert figure.select("figcaption a[href='gallery/fashion-mnist.html']")
    drawn = read(site, "gallery/fashion-mnist").select_one("#fig-fashion-answers img")
    picture, original = site / figure.img["src"], site / "gallery" / drawn["src"]
    assert picture.read_bytes().strip() == original.read_bytes().strip()


def test_map_has_every_page_once_under_the_one_to_read_before_it(built_site):
    check_map(built_site)


def check_map(site):
    course = read(site, "course").select_one(".course-map")
    above = {}
    for item in course.select("li"):
        parent = item.find_parent("li")
        above[item.p.a["href"]] = parent.p.a["href"] if parent else ""
    assert above == {
        f"{name}.html": page.after and f"{page.after}.html" for name, page in PAGES.items()
    }
    assert len(course.select("li")) == len(PAGES)


def test_course_leads_from_tutorial_to_tutorial(built_site):
    check_course(built_site)


def check_course(site):
    def following(docname):
        page = BeautifulSoup((site / f"{docname}.html").read_text(), "html.parser")
        href = page.select_one("a.right-next")["href"]
        return (Path(docname).parent / href).with_suffix("").as_posix()

    order, tutorials = ["course"], {n for n, page in PAGES.items() if page.kind == "tutorial"}
    while len(order) <= len(tutorials):
        order.append(following(order[-1]))
    assert set(order[1:]) == tutorials
    for docname in order[1:]:
        after = PAGES[docname].after
        assert after in ["", *order[: order.index(docname)]], f"{docname} comes before {after}"


SECOND = "tutorials/synapses-and-projections.html"
# What is undone, the check, the file and its change, what the check says.
FAULTS = [
    (
        "the opening is another",
        check_opening,
        ("index.html", put_into("article p", "by hand")),
        "by hand",
    ),
    (
        "the command is another",
        check_opening,
        ("index.html", put_into("article pre", "--by-hand")),
        "by-hand",
    ),
    (
        "a way in is gone",
        check_opening,
        ("index.html", put_into(".sd-card-title", "It fails")),
        "It fails",
    ),
    (
        "the picture is another",
        check_picture,
        ("index.html", give("article figure img", "src", "_static/favicon.svg")),
        "svg",
    ),
    (
        "the picture has few words",
        check_picture,
        ("index.html", give("article figure img", "alt", "Rows")),
        "len",
    ),
    (
        "the map lacks a page",
        check_map,
        ("course.html", give(f".course-map a[href='{SECOND}']", "href", "index.html")),
        "synapses",
    ),
    (
        "a tutorial is passed over",
        check_course,
        ("course.html", give("a.right-next", "href", SECOND)),
        "a-first-neuron",
    ),
]


@pytest.mark.parametrize(("check", "fault", "says"), faults(FAULTS, check=lambda check, *_: check))
def test_fault_that_is_planted_at_the_front_door_is_found(built_site, tmp_path, check, fault, says):
    site = planted_copy(built_site, tmp_path / "site", *fault)
    with pytest.raises((AssertionError, KeyError, FileNotFoundError), match=says):
        check(site)
