"""What reads like a measured quantity: prose writes it through a claim, or says why not.

The one place for these patterns; the lint applies them to the sources of pages, and a test to
the built site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|"
    "fifty|sixty|seventy|eighty|ninety|(?:a )?hundred|(?:a )?thousand"
)
_NUMBER = rf"(?<![\w.])(?:[-−+±]?\d+(?:[.,]\d+)*|(?:{_WORDS})(?=[\s-]|fold))"
_PART = "(?:third|quarter|fifth|tenth)"
_HEDGE = r"(?:about|around|almost|nearly|roughly|some|over|more than|less than|at least|at most)"

PATTERNS = {
    "a share": rf"{_NUMBER}\s*(?:%|per\s?cent\b|percentage points?\b|points?\b)",
    "a share in words": rf"\b(?:one|{_WORDS})\s+(?:in|out of)\s+(?:{_WORDS})\b",
    "a duration": rf"{_NUMBER}\s*(?:s|seconds?|minutes?|hours?|core-seconds?)(?!\w)",
    "a size in memory": rf"{_NUMBER}\s*(?:[KMGT]i?B|bytes|(?:kilo|mega|giga|mebi|gibi)bytes)(?!\w)",
    "a ratio": rf"{_NUMBER}(?:\s*|-)(?:times|fold|×(?!\s*\d))(?!\w)",
    "a hedged ratio": rf"\b{_HEDGE}\s+(?:twice|half|double|(?:a|one) {_PART})\b",
    "a score": r"\b(?:accurac(?:y|ies)|loss(?:es)?|errors?|R²)\s(?:[^.;:|\n]{0,30}?\s)?\d*\.\d+",
    "a number to two decimals": r"(?<![\w.:/])[-−+±]?\d*\.\d{2,}(?![\w./])",
}
_COMPILED = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in PATTERNS.items()}


def find_measured(prose: str) -> Iterator[tuple[int, str, str]]:
    """Yield position, kind and text of everything in `prose` that reads like a measurement."""
    for kind, pattern in _COMPILED.items():
        for match in pattern.finditer(prose):
            yield match.start(), kind, match[0]
