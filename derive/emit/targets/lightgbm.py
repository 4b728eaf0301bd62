"""LightGBM: a custom objective for `train` and for the estimators like those of scikit-learn, and its test.

Since version 4.0 several raw outputs come and go as arrays (n, k). ``boost_from_average`` does nothing for custom
objectives: they start from 0, or from an ``init_score``, which predictions do not contain.
"""

from functools import partial

from ..objective import Library, emit_objective
from ..target import Target

USAGE = """\
    score = {f}_score(y)
    data = lightgbm.Dataset(X, y, init_score=np.full(len(y), score))
    booster = lightgbm.train({{"objective": {f}_objective{call}}}, data)
    model = lightgbm.LGBMRegressor(objective={f}_sklearn_objective{call})

A raw output is the score plus what the booster predicts."""
USAGE_ROWS = """\
    start = np.tile(score, (len(y), 1))  # one row for each example
    data = lightgbm.Dataset(X, y, init_score=start)
    booster = lightgbm.train({{"objective": {f}_objective{call}, "num_class": {k}}}, data)

A raw output is the score plus what the booster predicts."""
GROW = """
data = lightgbm.Dataset(X, {y}, init_score=start)
parameters = {{"num_leaves": 4, "num_threads": 1, "verbosity": -1}}{parameter}
parameters["objective"] = {objective}
booster = lightgbm.train(parameters, data, 5)
after = start + booster.predict(X, raw_score=True)
"""

LIGHTGBM = Library("LightGBM", "data.get_weight()", "weight", USAGE, USAGE_ROWS, GROW, "num_class")
TARGET = Target("lightgbm", partial(emit_objective, library=LIGHTGBM))
