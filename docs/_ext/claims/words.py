"""How values, spreads and bounds are written."""

from __future__ import annotations

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def value_text(mean: float, spread: float | None, show: str, unit: str) -> str:
    """Write a value with its spread and unit, by a format such as ".1f", ".0%" or ".1pp"."""
    for ending, name in (("%", "%"), ("pp", "points")):
        if show.endswith(ending):
            show, unit, mean = show.removesuffix(ending) + "f", name, 100 * mean
            spread = None if spread is None else 100 * spread
    digits = _digits(mean, show)
    if spread is not None:
        digits += f" ± {_digits(spread, show)}"
    return f"{digits} {unit}".rstrip()


def reach_text(reach: float, show: str, unit: str) -> str:
    """Write a distance that is allowed, which may be far smaller than the values."""
    if 0 < reach < 1e-3:
        show = ".1e"
    elif not show.endswith(("%", "pp")):
        show = ".2g"
    return value_text(reach, None, show, unit)


def _digits(value: float, show: str) -> str:
    text = format(value, show if value else show.replace("e", "g"))  # zero has no exponent
    if "e" in text:  # 3.0e-05 as 3.0 × 10⁻⁵
        digits, exponent = text.split("e")
        text = f"{digits} × 10{str(int(exponent)).translate(_RAISED)}"
    return text.replace("-", "−")
