"""Measure the built site with Lighthouse: medians of several runs, and a record of them.

`nox -s lighthouse` installs Lighthouse and runs this. The figures go into `record.json` beside
it. They are not claims of a page: they depend on the machine and on what else it does, and say
nothing about training networks.

To pin another version, change `package.json`, run `npm install --package-lock-only
--omit-lockfile-registry-resolved` beside it, and take the `funding` entries out of the lock: it
holds versions and checksums, and no addresses. The overrides are two that a part of Lighthouse
asks for as "latest", which no lock can hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from compressing_server import compressed_size, serving

HERE = Path(__file__).parent
ROOMS = ("tutorials", "howto", "concepts", "gallery")
LANDING = "index.html"
CONTENT_PAGES = 3
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
# The least median that passes.
TARGETS = {
    "mobile": {"performance": 90, "accessibility": 100, "best-practices": 100, "seo": 100},
    "desktop": {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100},
}
DEVICES: Mapping[str, Sequence[str]] = {"mobile": (), "desktop": ("--preset=desktop",)}
# What the performance is made of, in milliseconds, but for the shift, which has no unit.
PARTS = (
    *("first-contentful-paint", "largest-contentful-paint", "speed-index"),
    *("total-blocking-time", "cumulative-layout-shift"),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --headless=new"


class _Parts(HTMLParser):
    """Collects the files that a page asks for: styles, scripts and figures of the light theme."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        kept = tag == "script" or (tag == "link" and found.get("rel") == "stylesheet")
        if kept or (tag == "img" and "for-dark" not in (found.get("class") or "").split()):
            self.names.add((found.get("src") or found.get("href") or "").split("?")[0])


def weight(page: Path) -> int:
    """Return the compressed size of a page with the files that it asks for."""
    parts = _Parts()
    parts.feed(page.read_text(encoding="utf8"))
    files = [page.parent / name for name in sorted(parts.names) if name and ":" not in name]
    return compressed_size(page) + sum(compressed_size(each.resolve()) for each in files)


def chosen(site: Path) -> list[str]:
    """Return the landing page and the heaviest pages of the rooms, heaviest first."""
    pages = [page for room in ROOMS for page in sorted((site / room).glob("*.html"))]
    heaviest = sorted(pages, key=weight, reverse=True)[:CONTENT_PAGES]
    if len(heaviest) < CONTENT_PAGES or not (site / LANDING).exists():
        raise SystemExit(f"expected a built site in {site}: run nox -s docs first")
    return [LANDING, *(page.relative_to(site).as_posix() for page in heaviest)]


def run_once(lighthouse: Path, browser: str, url: str, options: Sequence[str]) -> dict[str, Any]:
    """Return what one run of Lighthouse reports of an address."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *("node", str(lighthouse), url, *options, "--quiet", f"--chrome-flags={FLAGS}"),
            *(f"--only-categories={','.join(CATEGORIES)}", "--output=json"),
            f"--output-path={report}",
        ]
        environment = os.environ | {"CHROME_PATH": browser}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode or not report.exists():
            raise SystemExit(f"expected Lighthouse to report on {url}, got:\n{done.stderr}")
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf8"))
    if "runtimeError" in found:
        raise SystemExit(f"expected {url} to load, got: {found['runtimeError']}")
    return found


def summary_of(report: dict[str, Any], load: float) -> dict[str, Any]:
    """Return of a report what is kept: scores in percent, their parts, and what failed."""
    audits = report["audits"]
    failed = {
        reference["id"]
        for name in CATEGORIES[1:]
        for reference in report["categories"][name]["auditRefs"]
        if reference["weight"] and audits[reference["id"]]["score"] == 0
    }
    return {
        "scores": {each: round(100 * report["categories"][each]["score"]) for each in CATEGORIES},
        "parts": {each: round(audits[each]["numericValue"], 3) for each in PARTS},
        "failed": sorted(failed),
        "load": round(load, 2),
        "machine": round(report["environment"]["benchmarkIndex"]),
    }


def measured(lighthouse: Path, browser: str, site: Path, runs: int) -> list[dict[str, Any]]:
    """Run Lighthouse on each page and device; rounds, so that a busy minute hits all alike."""
    pages = chosen(site)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with serving(site) as address:
        for _ in range(runs):
            for page in pages:
                for device, options in DEVICES.items():
                    load = os.getloadavg()[0]
                    report = run_once(lighthouse, browser, address + page, options)
                    found.setdefault((page, device), []).append(summary_of(report, load))
                    print(page, device, found[page, device][-1], flush=True)
    return [result(site, page, device, each) for (page, device), each in found.items()]


def result(site: Path, page: str, device: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians of a page's runs, with their spread: the least and the most."""
    medians, spread = {}, {}
    for category in CATEGORIES:
        values = [run["scores"][category] for run in runs]
        medians[category] = statistics.median(values)
        spread[category] = [min(values), max(values)]
    return {
        "page": page,
        "device": device,
        "compressed": weight(site / page),
        "medians": medians,
        "spread": spread,
        "load": [min(run["load"] for run in runs), max(run["load"] for run in runs)],
        "runs": runs,
    }


def missed(results: list[dict[str, Any]]) -> list[str]:
    """Return, in words, each median that is under its target."""
    return [
        f"{each['page']} on {each['device']}: expected {category} of at least {least}, got a median"
        f" of {each['medians'][category]} ({each['spread'][category][0]} to"
        f" {each['spread'][category][1]}, machine load {each['load'][0]} to {each['load'][1]})"
        + "".join(
            f"; {name} fails" for name in sorted({n for r in each["runs"] for n in r["failed"]})
        )
        for each in results
        for category, least in TARGETS[each["device"]].items()
        if each["medians"][category] < least
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lighthouse", type=Path, help="the folder with node_modules")
    parser.add_argument("site", type=Path, help="the built site")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--record", type=Path, default=HERE / "record.json")
    given = parser.parse_args()
    browsers = [path for name in BROWSERS if (path := shutil.which(name))]
    if not browsers or not shutil.which("node"):
        raise SystemExit(f"expected node and one of {', '.join(BROWSERS)} on the path")
    script = given.lighthouse / "node_modules" / "lighthouse" / "cli" / "index.js"
    package = json.loads((HERE / "package.json").read_text())
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    commit = git.stdout.strip()
    results = measured(script, browsers[0], given.site.resolve(), given.runs)
    facts = {
        "lighthouse": package["dependencies"]["lighthouse"],
        "browser": _said([browsers[0], "--version"]),
        "commit": commit or None,  # an archive has none
        "processor": f"{platform.machine()}, {os.cpu_count()} processors",
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "targets": TARGETS,
        "results": results,
    }
    given.record.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf8")
    for each in results:
        print(each["page"], each["device"], each["medians"], "load", each["load"])
    if faults := missed(results):
        sys.exit("\n".join([*faults, "A busy machine costs performance: look at the load."]))


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
