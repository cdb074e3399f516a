"""Let the search find `for_loop` by "for loop": names are found by their parts too."""

from __future__ import annotations

from sphinx.search.en import SearchEnglish


class PartsOfNames(SearchEnglish):
    """English, in which a name with underscores is a word and is also the words between them."""

    def split(self, input: str) -> list[str]:
        words = super().split(input)
        return words + [part for word in words if "_" in word for part in word.split("_") if part]
