"""Where the site and its repository are: what the host that builds it says, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def site_address(environ: Mapping[str, str]) -> str:
    """Return the address that the site is published at, ending in a slash, or nothing."""
    address = environ.get("READTHEDOCS_CANONICAL_URL") or environ.get("SITE_ADDRESS", "")
    return address if not address or address.endswith("/") else f"{address}/"


def extensions(address: str) -> list[str]:
    """Return the extensions that write a site map and social cards, which need full addresses."""
    return ["sphinx_sitemap", "sphinxext.opengraph"] if address else []


def theme_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the theme's repository options, or none where the host names no repository."""
    if environ.get("READTHEDOCS_GIT_CLONE_URL"):
        url = environ["READTHEDOCS_GIT_CLONE_URL"].removesuffix(".git")
    elif environ.get("GITHUB_SERVER_URL") and environ.get("GITHUB_REPOSITORY"):
        url = f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
    else:
        url = environ.get("CI_PROJECT_URL", "")
    # The theme knows three kinds of host and refuses the rest, ssh addresses among them.
    providers = [name for name in ("github", "gitlab", "bitbucket") if name in url]
    if not url.startswith("https://") or not providers:
        return {}
    return {
        "repository_url": url,
        "repository_provider": providers[0],
        "repository_branch": environ.get("READTHEDOCS_GIT_IDENTIFIER", "main"),
        "path_to_docs": "docs",
        "use_repository_button": True,
        "use_issues_button": True,
        "use_source_button": True,
        "use_edit_page_button": True,
    }
