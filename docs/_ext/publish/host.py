"""Find out where the site and its repository are, from the host that builds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GITHUB = "https://github.com/"  # Colab and Binder open notebooks from here


def site_address(environ: Mapping[str, str]) -> str:
    """Return the address that the site is published at, ending in a slash, or nothing."""
    address = environ.get("READTHEDOCS_CANONICAL_URL") or environ.get("SITE_ADDRESS", "")
    return address if not address or address.endswith("/") else f"{address}/"


def extensions(address: str) -> list[str]:
    """Return the extensions that write a site map and social cards, which need full addresses."""
    return ["sphinx_sitemap", "sphinxext.opengraph"] if address else []


def repository_url(environ: Mapping[str, str]) -> str:
    """Return the address of the repository that the host builds, or nothing."""
    if environ.get("READTHEDOCS_GIT_CLONE_URL"):
        return environ["READTHEDOCS_GIT_CLONE_URL"].removesuffix(".git")
    if environ.get("GITHUB_SERVER_URL") and environ.get("GITHUB_REPOSITORY"):
        return f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
    return environ.get("CI_PROJECT_URL", "")


def notebooks(environ: Mapping[str, str]) -> str:
    """Return `OWNER/NAME/BRANCH` of the notebooks that the host publishes, or nothing.

    No host publishes notebooks by itself: whoever pushes them sets NOTEBOOKS_BRANCH.
    """
    url, branch = repository_url(environ), environ.get("NOTEBOOKS_BRANCH", "")
    if not branch or not url.startswith(GITHUB):
        return ""
    return f"{url.removeprefix(GITHUB)}/{branch}"


def theme_options(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the theme's repository options, or none where the host names no repository."""
    url = repository_url(environ)
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
