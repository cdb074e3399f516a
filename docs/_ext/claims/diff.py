"""Print what moved between two builds: `nox -s claims-diff -- OLD.json NEW.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Claims = dict[str, dict[str, Any]]


def moved(old: Claims, new: Claims) -> Iterator[str]:
    """Yield a line for each claim that came, went, or has another value, bound or verdict."""
    for name in sorted(old.keys() - new.keys()):
        yield f"- {name}: gone (was {old[name]['text']})"
    for name in sorted(new.keys() - old.keys()):
        yield f"+ {name}: {new[name]['text']} ({new[name]['statement']})"
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name], new[name]
        changes = []
        if before["value"] != after["value"]:
            changes.append(_change(before, after))
        changes += [
            f"{what} was {before[what]!r}, is {after[what]!r}"
            for what in ("unit", "bound", "verdict", "seeds")
            if before[what] != after[what]
        ]
        if changes:
            yield f"  {name}: {'; '.join(changes)}"


def _change(before: dict[str, Any], after: dict[str, Any]) -> str:
    step = after["value"] - before["value"]
    line = f"{before['text']} -> {after['text']}"
    if before["spread"]:
        line += f", {abs(step) / before['spread']:.1f} standard deviations"
    return line


def read(path: str) -> Claims:
    """Return the claims of one build by name."""
    facts = json.loads(Path(path).read_text(encoding="utf8"))
    if facts.get("schema") != 2:
        raise SystemExit(f"{path}: expected schema 2, got {facts.get('schema')!r}")
    return {claim["name"]: claim for claim in facts["claims"]}


def main() -> int:
    """Compare the two files named on the command line; return 1 unless two are."""
    if len(sys.argv) != 3:
        print("expected two files: nox -s claims-diff -- OLD.json NEW.json", file=sys.stderr)
        return 1
    old, new = map(read, sys.argv[1:])
    lines = list(moved(old, new))
    print("\n".join(lines) or "nothing moved")
    print(f"{len(old)} claims before, {len(new)} after, {len(lines)} lines above" * bool(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
