"""The landing page and the README say the same, and the course leads to every page."""

import re
from pathlib import Path

from bs4 import BeautifulSoup

from page_source import list_pages

ROOT = Path(__file__).parents[2]
WAYS_IN = ("I want to learn it", "I want to get something done", "Mine does not work")
PAGES = {page.docname: page for page in list_pages(ROOT)}


def read(site, docname):
    return BeautifulSoup((site / f"{docname}.html").read_text(), "html.parser").article


def words(text):
    return " ".join(re.sub(r"[`*]", "", text).split())


def test_readme_and_landing_page_open_alike_and_give_the_same_command(built_site):
    readme = (ROOT / "README.md").read_text()
    landing = read(built_site, "index")
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
    (figure,) = read(built_site, "index").select("figure")
    assert len(figure.img["alt"]) > 80
    assert figure.select("figcaption a[href='gallery/fashion-mnist.html']")
    drawn = read(built_site, "gallery/fashion-mnist").select_one("#fig-fashion-answers img")
    picture, original = built_site / figure.img["src"], built_site / "gallery" / drawn["src"]
    assert picture.read_bytes().strip() == original.read_bytes().strip()


def test_map_has_every_page_once_under_the_one_to_read_before_it(built_site):
    course = read(built_site, "course").select_one(".course-map")
    above = {}
    for item in course.select("li"):
        parent = item.find_parent("li")
        above[item.p.a["href"]] = parent.p.a["href"] if parent else ""
    assert above == {
        f"{name}.html": page.after and f"{page.after}.html" for name, page in PAGES.items()
    }
    assert len(course.select("li")) == len(PAGES)


def test_course_leads_from_tutorial_to_tutorial(built_site):
    def following(docname):
        page = BeautifulSoup((built_site / f"{docname}.html").read_text(), "html.parser")
        href = page.select_one("a.right-next")["href"]
        return (Path(docname).parent / href).with_suffix("").as_posix()

    order, tutorials = ["course"], {n for n, page in PAGES.items() if page.kind == "tutorial"}
    while len(order) <= len(tutorials):
        order.append(following(order[-1]))
    assert set(order[1:]) == tutorials
    for docname in order[1:]:
        after = PAGES[docname].after
        assert after in ["", *order[: order.index(docname)]], f"{docname} comes before {after}"
