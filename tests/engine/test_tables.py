"""Tables of claims: what they may say, and how values are held to them."""

import math

import pytest

from claims.claim import Limits, limits, make_claim
from claims.gather import Claims
from claims.table import read_tables, reported_for
from run.shell.measuring import Measured, measured


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs" / "howto").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def hold(root):
    """Hold values to a table, both of one page; return the claims, with their problems."""

    def hold(table, *values, page="howto/page"):
        (root / "docs" / f"{page}.claims.toml").write_text(table)
        claims = Claims(root, *read_tables(root))
        for value in values:
            claims.take(page, "docs/howto/page.md:7", value)
        claims.hold()
        return claims

    return hold


def entry(*lines):
    return "\n".join(["[a]", 'says = "It is so"', *lines]) + "\n"


def test_a_value_within_its_bound_is_a_claim_that_holds(hold):
    table = entry(f"equals = {math.log(2)}", "within = 1e-3", 'show = ".4f"')
    claims = hold(table, measured("a", 0.69316))
    assert not claims.problems
    claim = claims.claims["a"]
    assert (claim.statement, claim.text, claim.holds) == ("It is so", "0.6932", True)
    assert claim.bound == "within 0.001 of 0.6931"
    assert claim.room == pytest.approx(1e-3 - (0.69316 - math.log(2)))


@pytest.mark.parametrize(
    ("value", "lines", "expected"),
    [
        (0.5, ["at_least = 0.6"], "at least 0.6"),
        (0.7, ["at_most = 0.6"], "at most 0.6"),
        (0.5, ["at_least = 0.1", "at_most = 0.4"], "at least 0.1, at most 0.4"),
        (0.5, ["equals = 0.6", "within = 0.05"], "within 0.05 of 0.6"),
        (math.nan, [], "a finite value"),
        (math.inf, ["at_least = 0.6"], "at least 0.6"),
    ],
)
def test_a_miss_names_page_value_bound_and_entry(hold, value, lines, expected):
    (problem,) = hold(entry(*lines), measured("a", value)).problems
    assert problem.startswith("docs/howto/page.md: claim 'a': expected " + expected)
    assert f"got {value:g}" in problem
    assert "docs/howto/page.claims.toml:1" in problem


def test_the_mean_over_seeds_is_held_and_a_miss_gives_every_seed(hold):
    value = measured("a", [0.9, 0.5], seeds=[3, 4])
    claim = hold(entry("at_least = 0.7"), value).claims["a"]
    assert claim.seeds == [3, 4]
    assert claim.spread == pytest.approx(0.4 / math.sqrt(2))
    (problem,) = hold(entry("at_least = 0.71"), value).problems
    assert "got 0.7, by seed [0.9, 0.5]" in problem


def test_a_family_has_one_statement_and_a_bound_for_each_case_or_for_all(hold):
    family = measured("a", {"one": 1.0, "two": 2.0, "three": 3.0})
    claims = hold(entry("at_least = { one = 0.5, two = 2.5 }"), family)
    assert [(name, claim.bound) for name, claim in claims.claims.items()] == [
        ("a[one]", "at least 0.5"),
        ("a[two]", "at least 2.5"),
        ("a[three]", ""),
    ]
    (problem,) = claims.problems
    assert "claim 'a[two]': expected at least 2.5, got 2" in problem
    assert len(hold(entry("at_least = 1.5"), family).problems) == 1


def test_a_bound_may_be_another_measured_value_with_a_distance(hold):
    table = entry("at_least = { of = 'b', plus = 0.02 }") + '[b]\nsays = "Of another"\n'
    good = hold(table, measured("a", 0.93), measured("b", 0.9))
    assert not good.problems
    assert good.claims["a"].bound == "at least 0.92 (b plus 0.02)"
    (problem,) = hold(table, measured("a", 0.91), measured("b", 0.9)).problems
    assert "expected at least 0.92 (b plus 0.02), got 0.91" in problem


def test_a_bound_may_refer_to_a_case_and_lie_below_it(hold):
    table = entry("at_most = { of = 'b[x]', plus = -1 }") + '[b]\nsays = "Of another"\n'
    assert not hold(table, measured("a", 1.0), measured("b", {"x": 2.0})).problems
    assert hold(table, measured("a", 1.1), measured("b", {"x": 2.0})).problems


def test_a_bound_has_the_unit_of_the_value(hold):
    value = [Measured("a", "", [1.5], [], "mV")]
    assert hold(entry('at_most = "2 mV"'), value).claims["a"].room == pytest.approx(0.5)
    for bound in ('"0.002 V"', "2"):
        (problem,) = hold(entry(f"at_most = {bound}"), value).problems
        assert "[a] expected at_most in mV, as it is measured" in problem
    (problem,) = hold(entry('at_most = "2 mV"'), measured("a", 1.5)).problems
    assert "expected at_most without a unit; got 2 mV" in problem


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["at_leats = 1"], "got 'at_leats'; the closest is 'at_least'"),
        (["equals = 1"], "`equals` and `within` together"),
        (["within = 1"], "`equals` and `within` together"),
        (["equals = 1", "within = 1", "at_most = 2"], "got both"),
        (["at_most = 'soon'"], "expected at_most as a number or a quantity"),
        (["at_most = true"], "expected at_most as a number or a quantity"),
        (["at_most = { of = 'b', minus = 1 }"], "expected at_most = { of"),
        (["show = 'percent'"], "expected `show` as a format"),
        (["machine = 1"], "expected `machine` to be true or false"),
        (["reported = { text = '86 %' }"], "expected `reported` with `cite`"),
        (["reported = { cite = 'x', text = '8', by = 'y' }"], "got 'by'"),
    ],
)
def test_a_bad_table_is_named_with_file_and_line(hold, lines, message):
    problems = hold(entry(*lines), measured("a", 1.0)).problems
    assert any(message in problem for problem in problems), problems
    assert problems[0].startswith("docs/howto/page.claims.toml:1: [a] ")


def test_a_table_that_is_no_toml_or_says_nothing_is_named(hold):
    assert "expected a table in TOML" in hold("[a", measured("a", 1.0)).problems[0]
    assert "expected `says`" in hold("[a]\nat_most = 1\n", measured("a", 1.0)).problems[0]


def test_a_measured_name_without_an_entry_is_named_with_the_closest_one(hold):
    claims = hold(entry() + '[silent-rate]\nsays = "Rate"\n', measured("sillent-rate", 1.0))
    missing = claims.problems[0]
    assert missing.startswith("docs/howto/page.md:7: measures 'sillent-rate'")
    assert "docs/howto/page.claims.toml has no entry of that name" in missing
    assert "the closest is 'silent-rate'" in missing


def test_an_entry_without_a_value_is_named_with_its_line_and_the_closest_name(hold):
    claims = hold(entry() + '\n[speed]\nsays = "Fast"\n', measured("a", 1.0), measured("sped", 1))
    (problem,) = (each for each in claims.problems if "has no value" in each)
    assert problem.startswith("docs/howto/page.claims.toml:4: [speed] has no value")
    assert "the closest is 'sped'" in problem


def test_a_bound_for_a_case_that_is_not_measured_is_named(hold):
    family = measured("a", {"small": 1.0})
    (problem,) = hold(entry("at_least = { smal = 0.5 }"), family).problems
    assert "holds the case 'smal', which is not measured; the closest is 'small'" in problem


def test_one_name_in_two_tables_or_measured_twice_is_refused(root, hold):
    (root / "docs" / "first.claims.toml").write_text(entry())
    problems = hold(entry(), measured("a", 1.0)).problems
    assert any("stands at docs/first.claims.toml:1 too" in each for each in problems)
    (root / "docs" / "first.claims.toml").unlink()
    twice = hold(entry(), measured("a", 1.0), measured("a", 1.0)).problems
    assert any("measures 'a' a second time" in each for each in twice)


def test_what_others_report_belongs_to_all_cases_or_to_one(hold, root):
    hold(entry("reported = { cite = 'x', text = '86 %' }"), measured("a", {"one": 1.0}))
    (found,) = read_tables(root)[0].values()
    assert reported_for(found, "one") == {"cite": "x", "text": "86 %"}
    hold(entry("reported.one = { cite = 'x', text = '86 %' }"), measured("a", {"one": 1.0}))
    (found,) = read_tables(root)[0].values()
    assert reported_for(found, "one") == {"cite": "x", "text": "86 %"}
    assert reported_for(found, "two") == {}


@pytest.mark.parametrize(
    ("values", "unit", "show", "text"),
    [
        ([0.914], "", ".1%", "91.4 %"),
        ([0.91, 0.93], "", ".1%", "92.0 ± 1.4 %"),
        ([0.03, 0.05], "", ".1pp", "4.0 ± 1.4 points"),
        ([0.45], "mV", ".2f", "0.45 mV"),
        ([3.2e-5], "", ".0e", "3 × 10⁻⁵"),
        ([0.0], "", ".0e", "0"),
        ([-2.0], "", ".0f", "−2"),
        ([113898.0], "", ",.0f", "113,898"),
    ],
)
def test_a_value_is_shown_with_spread_and_unit(hold, root, values, unit, show, text):
    seeds = list(range(len(values))) * (len(values) > 1)
    claims = hold(entry(f'show = "{show}"'), [Measured("a", "", values, seeds, unit)])
    assert claims.claims["a"].text == text


@pytest.mark.parametrize(
    ("within", "show", "bound"),
    [
        (0.03, ".1%", "within 3.0 % of 50.0 %"),
        (0.03, ".0pp", "within 3 points of 50 points"),
        (1e-9, ".0%", "within 1.0 × 10⁻⁹ of 50 %"),
    ],
)
def test_a_bound_around_a_share_is_shown_as_the_share_is(hold, within, show, bound):
    table = entry("equals = 0.5", f"within = {within}", f'show = "{show}"')
    assert hold(table, measured("a", 0.5)).claims["a"].bound == bound


def test_other_values_of_other_names_move_a_bound_that_refers_to_them(hold):
    table = entry("at_least = { of = 'b' }") + '[b]\nsays = "Of another"\n'
    claims = hold(table, measured("a", 2.0), measured("b", 1.0))
    assert claims.limits_under("a", {"b": 1.5}).room(2.0) == pytest.approx(0.5)
    assert claims.limits_under("a", {}).room(2.0) == pytest.approx(1.0)
    assert claims.limits_under("gone", {}) is None


def test_a_claim_without_a_bound_has_no_room(hold):
    (found,) = read_tables(hold(entry()).root)[0].values()
    claim = make_claim(found, measured("a", 1.0)[0], Limits())
    assert claim.room is None
    assert limits(found, "", "", {}.get) == Limits()
