"""XGBoost: a custom objective for `train` and for the estimators like those of scikit-learn, and its test.

Since version 2.1 several raw outputs come and go as arrays (n, k). Custom objectives start from ``base_score`` 0.5, whatever
the loss is, unless told otherwise; for several raw outputs a ``base_margin`` tells.
"""

from functools import partial

from ..objective import Library, emit_objective
from ..target import Target

USAGE = """\
    booster = xgboost.train({{"base_score": {f}_score(y)}}, data, obj={f}_objective{call})
    model = xgboost.XGBRegressor(objective={f}_sklearn_objective{call})

What they predict are raw outputs, with output_margin=True whatever the parameters are."""
USAGE_ROWS = """\
    start = np.tile(score, (len(y), 1))  # one row for each example
    data = xgboost.DMatrix(X, y, base_margin=start)
    booster = xgboost.train({{"num_class": {k}}}, data, obj={f}_objective{call})

Ask for raw outputs with predict(data, output_margin=True)."""
GROW = """
data = xgboost.DMatrix(X, {y}, base_margin=start)
parameters = {{"max_depth": 2, "eta": 0.1, "nthread": 1}}{parameter}
booster = xgboost.train(parameters, data, 5, obj={objective})
after = booster.predict(data, output_margin=True)
"""

XGBOOST = Library("XGBoost", "data.get_weight()", "sample_weight", USAGE, USAGE_ROWS, GROW, "num_class")
TARGET = Target("xgboost", partial(emit_objective, library=XGBOOST))
