"""What property tests draw: plain values, names, parameters of every type, and spaces of them."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, strategies as st
from scipy import stats

from pyshac.core.basics.plain_values import INACTIVE, identity
from pyshac.core.hyperparameters import (
    DiscreteHP,
    DistributionHP,
    Forbidden,
    HyperParameterList,
    IntegerHP,
    Less,
    LinearConstraint,
    LogUniformHP,
    MultiDiscreteHP,
    MultiIntegerHP,
    MultiLogUniformHP,
    MultiNormalHP,
    MultiUniformHP,
    NormalHP,
    OrdinalHP,
    SimplexHP,
    UniformHP,
)

DISCRETE_DISTRIBUTIONS = [
    (stats.poisson(3), False),
    (stats.binom(10, 0.3), False),
    (stats.randint(-3, 9), False),
    (stats.geom(0.3), False),
    (stats.geom(0.3), True),
    (stats.nbinom(3, 0.4), False),
    (stats.hypergeom(20, 7, 12), False),
    (stats.poisson(3, loc=-7), False),
    (stats.randint(1, 10**9), True),
]
CONTINUOUS_DISTRIBUTIONS = [
    (stats.beta(2, 5), False),
    (stats.expon(scale=2), False),
    (stats.gamma(2.5, loc=1), True),
    (stats.truncnorm(-1, 2), False),
    (stats.loguniform(1e-5, 10), True),
    (stats.triang(c=0.3), False),
]

# Every text that a UTF-8 file can hold, with those often that mean something to CSV and JSON.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
awkward_texts = st.sampled_from(
    ["", " ", "1", "1.0", "01", "1e5", "true", "True", "null", "None", "NaN", "nan", "inf", "-0.0"]
    + ["Infinity", '"', '"1"', '""', "'", ",", "a,b", "\n", "\r", "\r\n", "a\rb", "\t", "[1, 2]"]
    + ["{}", '{"__tuple__": []}', "=1+1", "=cmd|' /C calc'!A0", "@x", "+1", "-1", "#", "é", "漢字"]
    + ["\ufeff", "\u2028", "\x85", "\x1f", "😀", "\\", "\\n", "%s", "{0}"]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    texts,
    awkward_texts,
    st.sampled_from([0, 0.0, False, 1, 1.0, True, 2, 2.0]),
)
plain_values = st.recursive(
    scalars, lambda items: st.lists(items, max_size=3).map(tuple), max_leaves=5
)
names = st.one_of(texts, awkward_texts).filter(lambda name: name not in ("", "id", "scores"))
object_choices = st.dictionaries(names, st.builds(object), min_size=1, max_size=4)
# The lowest value, the step, the number of steps, and what is left of the range after them.
STEP_PARTS = ((-1000, 1000), (1, 50), (1, 200), (0, 49))
value_lists = st.lists(plain_values, min_size=1, max_size=6, unique_by=identity)
sample_counts = st.integers(1, 3)


@st.composite
def float_ranges(draw: st.DrawFn, smallest: float = -1e9) -> tuple[float, float]:
    """Two bounds, far enough apart for floats between them to be many."""
    bounds = st.floats(smallest, 1e9, allow_subnormal=False)
    low, high = sorted((draw(bounds), draw(bounds)))
    assume(high - low > 1e-6 * max(abs(low), abs(high)) + 1e-12)
    return low, high


@st.composite
def integers(draw: st.DrawFn, names: Any = st.just("p")) -> IntegerHP:
    """An `IntegerHyperParameter`."""
    log = draw(st.booleans())
    largest = draw(st.sampled_from([10, 1000, 2**31, 2**46 if log else 2**52]))
    bounds = st.integers(1 if log else -largest, largest)
    low, high = sorted(draw(st.lists(bounds, min_size=2, max_size=2, unique=True)))
    return IntegerHP(draw(names), low, high, log=log)


@st.composite
def decimals(draw: st.DrawFn) -> tuple[float, float, float]:
    """Bounds and a step with few decimal digits, as people write them."""
    digits = draw(st.integers(0, 6))
    low, step, count, rest = (draw(st.integers(*ends)) for ends in STEP_PARTS)
    high = low + step * count + min(rest, step - 1)
    return tuple(number / 10**digits for number in (low, high, step))  # type: ignore[return-value]


@st.composite
def steps(draw: st.DrawFn, names: Any = st.just("p")) -> IntegerHP | UniformHP:
    """A number at equal distances."""
    if draw(st.booleans()):
        low, high, step = draw(decimals())
        return UniformHP(draw(names), low, high, step=step)
    low, step, count, rest = (draw(st.integers(*ends)) for ends in STEP_PARTS)
    return IntegerHP(draw(names), low, low + step * count + min(rest, step - 1), step=step)


@st.composite
def uniforms(draw: st.DrawFn, names: Any = st.just("p")) -> UniformHP:
    """A `UniformContinuousHyperParameter`."""
    log_encode, log = draw(st.booleans()), draw(st.booleans())
    low, high = draw(float_ranges(1e-9 if log_encode or log else -1e9))
    return UniformHP(draw(names), low, high, log_encode, log=log)


@st.composite
def log_uniforms(draw: st.DrawFn, names: Any = st.just("p")) -> LogUniformHP:
    """A `LogUniformContinuousHyperParameter`."""
    return LogUniformHP(draw(names), *draw(float_ranges(1e-9)))


normal_arguments = st.tuples(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9)).filter(
    lambda arguments: arguments[1] > 1e-6 * abs(arguments[0])
)


@st.composite
def normals(draw: st.DrawFn, names: Any = st.just("p")) -> NormalHP:
    """A `NormalContinuousHyperParameter`."""
    return NormalHP(draw(names), *draw(normal_arguments))


@st.composite
def distributions(draw: st.DrawFn, which: list[Any], names: Any = st.just("p")) -> DistributionHP:
    """A `DistributionHyperParameter` of one of the distributions in `which`."""
    return DistributionHP(draw(names), *draw(st.sampled_from(which)))


@st.composite
def choices(draw: st.DrawFn, names: Any = st.just("p")) -> DiscreteHP:
    """A choice, among plain values or objects, with or without an order."""
    kind = draw(st.sampled_from([DiscreteHP, OrdinalHP]))
    return kind(draw(names), draw(st.one_of(value_lists, object_choices)))


@st.composite
def multis(draw: st.DrawFn, names: Any = st.just("p")) -> Any:
    """A multi parameter of any type."""
    name, count, kind = draw(names), draw(sample_counts), draw(st.sampled_from("duilsn"))
    if kind == "d":
        values = draw(st.one_of(value_lists, object_choices))
        return MultiDiscreteHP(name, values, sample_count=count)
    if kind == "u":
        return MultiUniformHP(name, *draw(float_ranges(1e-9)), draw(st.booleans()), count)
    if kind == "i":
        low, high = sorted((draw(st.integers(1, 1000)), draw(st.integers(1, 1000))))
        return MultiIntegerHP(name, low, high, count, log=draw(st.booleans()))
    if kind == "l":
        return MultiLogUniformHP(name, *draw(float_ranges(1e-9)), count)
    if kind == "s":
        low, high, step = draw(decimals())
        return MultiUniformHP(name, low, high, sample_count=count, step=step)
    return MultiNormalHP(name, *draw(normal_arguments), sample_count=count)


@st.composite
def simplexes(draw: st.DrawFn, names: Any = st.just("p")) -> SimplexHP:
    """Shares that sum to one."""
    # With smaller weights, shares are often too small to be told from none.
    weights = st.lists(st.floats(0.5, 1000), min_size=2, max_size=4)
    if draw(st.booleans()):
        return SimplexHP(draw(names), draw(st.integers(2, 4)))
    each = draw(weights)
    return SimplexHP(draw(names), len(each), each)


def stepped(names: Any = st.just("p")) -> st.SearchStrategy[Any]:
    """A parameter of one column whose values are separate."""
    return st.one_of(
        choices(names), integers(names), steps(names), distributions(DISCRETE_DISTRIBUTIONS, names)
    )


def continuous(names: Any = st.just("p")) -> st.SearchStrategy[Any]:
    """A parameter of one column whose values are real numbers."""
    return st.one_of(
        uniforms(names),
        log_uniforms(names),
        normals(names),
        distributions(CONTINUOUS_DISTRIBUTIONS, names),
    )


@st.composite
def spaces(draw: st.DrawFn) -> HyperParameterList:
    """A search space of one to five parameters of any built-in types, with any names."""
    parts = st.one_of(stepped(names), continuous(names), multis(names), simplexes(names))
    parameters = draw(st.lists(parts, min_size=1, max_size=5, unique_by=lambda part: part.name))
    columns = [column for part in parameters for column in _columns(part)]
    assume(len(set(columns)) == len(columns))
    return HyperParameterList(parameters)


@st.composite
def conditional_spaces(draw: st.DrawFn) -> HyperParameterList:
    """A search space of at least two parameters, some of which depend on others before them."""
    space = draw(spaces().filter(lambda space: len(space) > 1))
    order = draw(st.permutations(list(space)))
    parents: list[tuple[str, Any]] = []
    for parameter in order:
        for name, element in (
            draw(st.lists(st.sampled_from(parents), max_size=2)) if parents else ()
        ):
            _add_condition(draw, parameter, name, element)
        element = getattr(parameter, "element", parameter)
        # Shares depend on one another.
        if element.sample_count is None:
            parents += [(name, element) for name in _columns(parameter)]
    try:
        return HyperParameterList(list(space))
    except ValueError:
        # Two conditions that contradict each other.
        return draw(st.nothing())


def _add_condition(draw: st.DrawFn, parameter: Any, name: str, parent: Any) -> None:
    """Makes a parameter depend on another, whose values of the middle of the prior it needs."""
    units = draw(st.lists(st.floats(0.25, 0.75), min_size=1, max_size=3))
    values = [parent.decode(each) for each in parent.from_unit(units)]
    if parent.column_kind.num_values < float("inf"):
        parameter.when(name, values)
    elif draw(st.booleans()):
        parameter.when(name, at_least=min(values))
    else:
        parameter.when(name, at_most=max(values))


@st.composite
def constrained_spaces(draw: st.DrawFn) -> HyperParameterList:
    """A search space with conditions and constraints, which at least one of its samples obeys."""
    space = draw(conditional_spaces())
    space.set_seed(draw(st.integers(0, 2**16)))
    row = space.sample()
    values = dict(zip(space.get_parameter_names(), row, strict=True))
    numbers = {n: float(v) for n, v in values.items() if _is_number(space, n) and v is not INACTIVE}
    kinds = dict(zip(values, space.column_kinds, strict=True))
    constraints: dict[str, Any] = {}
    for low, high in draw(st.lists(_pairs([*numbers]), max_size=2)) if len(numbers) > 1 else ():
        low, high = sorted((low, high), key=lambda name: numbers[name])
        constraint: Any = Less(low, high)
        if numbers[low] == numbers[high] or draw(st.booleans()):
            constraint = LinearConstraint({low: 1, high: 1}, numbers[low] + numbers[high] + 1)
        constraints[repr(constraint)] = constraint
    for name in draw(st.lists(st.sampled_from([*values]), max_size=2)):
        others = [v for v in kinds[name].choices or () if identity(v) != identity(values[name])]
        if others:
            constraint = Forbidden({name: draw(st.sampled_from(others))})
            constraints[repr(constraint)] = constraint
    return HyperParameterList(list(space), constraints=[*constraints.values()])


def _is_number(space: HyperParameterList, name: str) -> bool:
    try:
        space.columns.check_number("A test", name)
    except ValueError:
        return False
    return True


def _pairs(names: list[str]) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True)


def _columns(parameter: Any) -> list[str]:
    count = getattr(parameter, "sample_count", None)
    numbered = [f"{parameter.name}_{number}" for number in range(1, (count or 0) + 1)]
    return numbered if count else [parameter.name]


# Unit values as draws have them, multiples of 2**-53; the ends of the interval often.
units = st.one_of(
    st.integers(1, 2**53 - 1), st.sampled_from([1, 2, 2**52, 2**53 - 2, 2**53 - 1])
).map(lambda number: number * 2.0**-53)


def typed(value: Any) -> Any:
    """A form that is equal for two values only if they are the same, types and signs included."""
    if isinstance(value, (tuple, list)):
        return (type(value), [typed(item) for item in value])
    return (type(value), repr(value))
