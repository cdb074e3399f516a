"""A stand-in for the package, so that the fixture's pages cost next to nothing."""

CONSTANT = 41
