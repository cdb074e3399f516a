"""Open a page's notebook in Colab or Binder, where the host publishes notebooks.

Neither opens Markdown, and no notebook is committed. So whoever publishes the site pushes the
notebooks of its build to a branch of their own, as `notebooks_branch.py` lays it out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx

from run.build import build_of
from run.insides import missing


def addresses(place: str, docname: str) -> dict[str, str]:
    """Return where a notebook of `OWNER/NAME/BRANCH` opens, by the name of the service."""
    owner, name, branch = place.split("/", 2)
    file, at = f"{docname}.ipynb", quote(branch, "")
    return {
        "Colab": f"https://colab.research.google.com/github/{owner}/{name}/blob/{branch}/{file}",
        "Binder": f"https://mybinder.org/v2/gh/{owner}/{name}/{at}?labpath={quote(file, '')}",
    }


def offer_services(
    app: Sphinx, docname: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Add the buttons to a page with code."""
    place = app.config.launch_from
    if not place or build_of(app).result(docname) is None:
        return
    buttons = [
        {
            "type": "link",
            "url": url,
            "text": service,
            "tooltip": f"Run this page in {service}",
            "icon": "fas fa-play",
            "label": f"launch-{service.lower()}",
        }
        for service, url in addresses(place, docname).items()
    ]
    if "header_buttons" not in context:
        missing("the theme's `header_buttons`", "pages have no buttons that open notebooks")
        return
    context["header_buttons"].append(
        {
            "type": "group",
            "tooltip": "Run this page",
            "icon": "fas fa-rocket",
            "buttons": buttons,
            "label": "launch-buttons",
        }
    )
