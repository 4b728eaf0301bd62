"""A loss as a custom objective of a boosting library: gradient and curvature of each example, a first score, and a test.

What is derived, the loss and its derivatives, is written like any other array code; the rest of a file is the same for all
losses and stands below as text. A `Library` says how data are asked for weights and how trees are grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from ..errors import UnsupportedOp
from ..ir.nodes import Program
from .function import definition, file, forward_body, forward_docstring, output_items, returned, text_of
from .helpers import helper_blocks
from .layout import docstring, signature
from .plan import plan_of
from .samples import sample_lines, samples_of
from .target import EmitRequest, Objective
from .targets.numpy import NUMPY, SAMPLES, numpy_imports

RESERVED = ("np", "math", "preds", "data", "weight", "sample_weight", "y_true", "y_pred", "gradient", "curvature", "score",
            "step", "total", "rng", "rows", "function", "result", "entry", "exact", "before", "after", "X", "start",
            "lightgbm", "xgboost", "slope", "_")  # fmt: skip


@dataclass(frozen=True)
class Library:
    """How a library spells what an objective needs.

    title: its name.
    weights: the weights of the data set ``data``.
    weight: the argument for weights in its interface like that of scikit-learn.
    usage: how the functions of the file are used, ``{f}`` being the name of the loss and ``{call}`` its constants;
        `usage_rows` for ``{k}`` raw outputs of each example.
    grow: statements that grow trees on ``X`` and ``{y}`` from the raw outputs ``start`` and call those then ``after``.
    columns: the parameter that is the number of raw outputs.
    """

    title: str
    weights: str
    weight: str
    usage: str
    usage_rows: str
    grow: str
    columns: str


WEIGHTED = '''
def {f}_weighted({y}, {raw}, weight{also}):
    """Gradient and curvature of each example, times its weight if there are any."""
    {raw} = np.asarray({raw}, dtype=float)
    {y} = {labels}
    {derivatives} = {f}_derivatives({spread}, {y}{also})
    {stack}
    if weight is None or np.size(weight) == 0:
        return gradient, curvature
    weight = {column}
    return weight * gradient, weight * curvature
'''
PLAIN = '''
def {f}_objective(preds, data):
    """The objective of {title}'s train: weighted gradient and curvature of each example."""
    return {f}_weighted(data.get_label(), preds, {weights})


def {f}_sklearn_objective(y_true, y_pred, {weight}=None):
    """The objective of {title}'s estimators for scikit-learn."""
    return {f}_weighted(y_true, y_pred, {weight})
'''
WITH_CONSTANTS = '''
def {f}_objective({given}):
    """The objective of {title}'s train for constants that training leaves as they are."""

    def objective(preds, data):
        return {f}_weighted(data.get_label(), preds, {weights}, {given})

    return objective


def {f}_sklearn_objective({given}):
    """The objective of {title}'s estimators for scikit-learn, for constants likewise."""

    def objective(y_true, y_pred, {weight}=None):
        return {f}_weighted(y_true, y_pred, {weight}, {given})

    return objective
'''
SCORE = '''
def {f}_score({y}{also}{width_argument}, weight=None):
    """The raw output that fits all labels best, to start from: Newton's method with halved steps."""
    weight = np.ones(len({y})) if weight is None else np.asarray(weight)
    rows = np.zeros({shape})

    def total(score):
        {raw} = rows + score
        return np.sum(weight * {f}_loss({spread}, {labels}{also}))

    score, halves = rows[0], 0.5 ** np.arange(50)
    for _ in range(100):
        gradient, curvature = {f}_weighted({y}, rows + score, weight{also})
        if not np.all(curvature.sum(axis=0) > 0):
            break
        step = gradient.sum(axis=0) / curvature.sum(axis=0)
        lower = (s for s in halves if total(score - s * step) <= total(score))
        step = next(lower, 0.0) * step
        score = score - step
        if np.all(np.abs(step) <= 1e-9 * (1 + np.abs(score))):
            break
    return score
'''
SLOPE = '''
def slope(function, {raw}):
    """The derivative of each example's value by its raw outputs, by differences of fourth order."""
    result = np.zeros({raw}.shape)
    for entry in np.ndindex({raw}.shape[1:]):
        step = np.zeros({raw}.shape)
        step[(slice(None), *entry)] = 1e-3
        near = function({raw} + step) - function({raw} - step)
        far = function({raw} + 2 * step) - function({raw} - 2 * step)
        result[(slice(None), *entry)] = (8 * near - far) / 12e-3
    return result
'''
SAMPLE = '''
def {f}_sample(rng, {n}):
    """Random raw outputs and labels{for_constants}."""
    {samples}
    return {arguments}
'''
DERIVATIVES = '''
def test_{f}_derivatives():
    """The gradient against differences of the loss, the curvature against differences of the gradient."""
    {arguments} = {f}_sample(np.random.default_rng(0), 7)
    gradient, curvature = {f}_weighted({y}, {raw}, None{also})
    expected = slope(lambda {raw}: {f}_loss({spread}, {y}{also}), {raw})
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-8)
    {curvature_test}
'''
STACK = """\
gradient = np.column_stack(derivatives[:{k}])
curvature = np.column_stack(derivatives[{k}:])"""
EQUAL = """\
expected = slope(lambda {raw}: {f}_weighted({y}, {raw}, None{also})[0], {raw})
np.testing.assert_allclose(curvature, expected, rtol=1e-7, atol=1e-8)"""
ABSOLUTE = EQUAL.replace("curvature, expected", "curvature, np.abs(expected)")
POSITIVE = "assert np.all(curvature >= 0)"
BOUND = """\
for k in range({raw}.shape[1]):
    row = slope(lambda {raw}, k=k: {f}_weighted({y}, {raw}, None{also})[0][:, k], {raw})
    expected = np.abs(row).sum(axis=1)
    np.testing.assert_allclose(curvature[:, k], expected, rtol=1e-7, atol=1e-8)"""
TRAINING = '''
def test_{f}_training():
    """A few trees lower the loss of the labels that they see."""
    import {module}

    rng = np.random.default_rng(0)
    {arguments} = {f}_sample(rng, 200)
    X = np.column_stack(({y}, rng.standard_normal(200)))
    score = {f}_score({y}{also}{width_given})
    start = np.zeros((200, *np.shape(score))) + score
    {grow}
    before = {f}_loss({spread_start}, {y}{also}).sum()
    assert {f}_loss({spread_after}, {y}{also}).sum() < before
'''


def emit_objective(request: EmitRequest, library: Library) -> str:
    """The source of a file with the objective in both signatures of the library.

    Raises:
        UnsupportedOp: the request is no loss of examples in raw outputs.
    """
    objective = request.objective
    if objective is None:
        raise UnsupportedOp(
            f"{request.title}() is no objective of {library.title}: that is the loss of each example in the raw output of "
            'a model and in its label; try: dv.likelihood("poisson", link="log").emit(...)'
        )
    functions = [
        _function(request.forward, f"{request.name}_loss"),
        _function(objective.derivatives, f"{request.name}_derivatives"),
    ]
    words = _words(request, objective, library)
    texts = [
        WEIGHTED,
        WITH_CONSTANTS if objective.constants else PLAIN,
        SCORE,
        SAMPLE,
        SLOPE,
        DERIVATIVES,
        TRAINING,
    ]
    blocks = [*functions, *(_filled(text, words) for text in texts)]
    blocks = [*helper_blocks(text_of(blocks), "numpy"), *blocks]
    return file(_opening(request, objective, library), numpy_imports(text_of(blocks)), *blocks)


def _function(program: Program, name: str) -> list[str]:
    """One of the derived functions."""
    plan = plan_of(EmitRequest(name, program, outputs_single=len(program.outputs) == 1), ("np", "math"))
    head = signature(name, [plan.name(t) for t in plan.inputs])
    return definition(
        head, forward_docstring(plan, 1), *forward_body(NUMPY, plan, 1), *returned(output_items(plan), 84)
    )


def _filled(text: str, words: dict[str, str]) -> list[str]:
    """A text with its words put in; a word of several lines keeps the indentation of its place."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        stripped = line.lstrip()
        filled = stripped.format(**words).split("\n")
        margin = " " * (len(line) - len(stripped))
        lines += [margin + part if part else "" for part in filled] if filled != [""] or not stripped else []
    return lines


def _words(request: EmitRequest, objective: Objective, library: Library) -> dict[str, str]:
    """What the texts leave open."""
    plan = plan_of(request, RESERVED)
    tensors = {t.name: t for t in plan.inputs}
    raw, y = [tensors[name] for name in objective.raw], tensors[objective.labels]
    several, rows = len(raw) > 1, len(raw) > 1 or raw[0].rank > 1
    z, given = (
        "z" if several else plan.name(raw[0]),
        [plan.name(tensors[name]) for name in objective.constants],
    )
    columns = str(len(raw)) if several else "columns"
    f, label = request.name, plan.name(y)
    also = "".join(f", {name}" for name in given)
    words = {
        "f": f, "y": label, "raw": z, "also": also, "given": ", ".join(given), "title": library.title,
        "weights": library.weights, "weight": library.weight, "module": library.title.lower(),
        "spread": f"*{z}.T" if several else z,
        "spread_start": "*start.T" if several else "start", "spread_after": "*after.T" if several else "after",
        "labels": f"np.asarray({label}, dtype={'float' if y.kind == 'real' else 'int'})",
        "derivatives": "derivatives" if several else "gradient, curvature",
        "stack": STACK.format(k=len(raw)) if several else "",
        "column": "np.reshape(weight, (-1, 1))" if rows else "np.asarray(weight)",
        "width_argument": ", columns" if rows and not several else "", "columns": columns,
        "shape": f"(len({label}), {columns})" if rows else f"len({label})",
        "objective": f"{f}_objective" + (f"({', '.join(given)})" if given else ""),
    }  # fmt: skip
    n = plan.names.sizes[y.shape[0]]
    samples = sample_lines(plan, NUMPY, SAMPLES, samples_of(request.forward))
    if several:
        samples += [f"z = np.column_stack(({', '.join(plan.name(t) for t in raw)}))"]
    words |= {
        "n": n, "samples": "\n".join([*_without(n, samples[0]), *samples[1:]]),
        "arguments": ", ".join([z, label, *given]), "for_constants": ", and constants" if given else "",
    }  # fmt: skip
    words["width_given"] = f", {z}.shape[1]" if words["width_argument"] else ""
    tests = {"hessian": EQUAL, "fisher": POSITIVE, "bound": BOUND if rows else ABSOLUTE}
    words["curvature_test"] = tests[objective.curvature].format(**words)
    number = columns if several else f"{z}.shape[1]"
    words["parameter"] = f'\nparameters["{library.columns}"] = {number}' if rows else ""
    words["grow"] = dedent(library.grow).strip().format(**words)
    return words


def _without(size: str, line: str) -> list[str]:
    """A line ``n, k = 3, 4`` without one of the sizes."""
    names, _, values = line.partition(" = ")
    kept = [(n, v) for n, v in zip(names.split(", "), values.split(", "), strict=True) if n != size]
    return [f"{', '.join(n for n, _ in kept)} = {', '.join(v for _, v in kept)}"] if kept else []


def _opening(request: EmitRequest, objective: Objective, library: Library) -> list[str]:
    """The docstring of the file: the formulas, what the curvature is, how the functions are used."""
    title = (
        f"{request.name} as an objective of {library.title}: gradient and curvature of each example's loss."
    )
    call = f"({', '.join(objective.constants)})" if objective.constants else ""
    raw = [t for t in request.forward.inputs if t.name in objective.raw]
    rows = len(raw) > 1 or raw[0].rank > 1
    usage = library.usage_rows if rows else library.usage
    usage = usage.format(
        f=request.name, call=call, k=len(raw) if len(raw) > 1 else raw[0].shape[1] if rows else 1
    )
    parts = [title, "\n".join(request.formulas), objective.reason, usage]
    return docstring([p for p in parts if p], 88)
