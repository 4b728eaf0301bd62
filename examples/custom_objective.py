"""A loss of one's own in XGBoost and LightGBM: the objective is derived from a density, written as source, and trained.

Both libraries know Poisson counts; the emitted objective grows the same trees as the built-in one. Neither knows noise with
heavy tails: an objective from the density of Student's law takes one line, and outliers no longer decide what is learned.

    python examples/custom_objective.py
    python examples/custom_objective.py --folder objectives     # keeps the emitted files
"""

import argparse
import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import lightgbm
import numpy as np
import xgboost

import derive as dv

ROUNDS = 60
XGB = {"max_depth": 3, "eta": 0.1, "nthread": 1, "max_delta_step": 0}
LGB = {"num_leaves": 8, "num_threads": 1, "verbosity": -1, "boost_from_average": False}
SCALE, FREEDOM = 0.5, 2.0  # of the noise: a law without variance


def truth(X: np.ndarray) -> np.ndarray:
    """What is to be learned, of the first two of four columns."""
    return np.sin(2 * X[:, 0]) + (X[:, 1] > 0)


def emitted(loss: dv.Loss, library: str, folder: Path) -> ModuleType:
    """The objective as a module of its own; its tests are run."""
    path = folder / f"{loss.name}_{library}.py"
    path.write_text(loss.emit(library), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in vars(module).items():
        if name.startswith("test_"):
            value()
    return module


def largest_differences(folder: Path) -> dict[str, float]:
    """Raw outputs of the emitted Poisson objective beside those of the built-in one, in each library."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = rng.poisson(np.exp(truth(X))).astype(float)
    poisson = dv.likelihood("poisson", "log")
    ours = {
        library: emitted(poisson, library, folder).poisson_objective for library in ("xgboost", "lightgbm")
    }
    data = xgboost.DMatrix(X, y)

    def by_xgboost(parameters: dict[str, object], objective: object = None) -> np.ndarray:
        trained = xgboost.train({**XGB, **parameters}, data, ROUNDS, obj=objective)
        return trained.predict(data, output_margin=True)

    def by_lightgbm(objective: object) -> np.ndarray:
        # the built-in second derivative is exp(z + poisson_max_delta_step)
        parameters = {**LGB, "objective": objective, "poisson_max_delta_step": 1e-12}
        return lightgbm.train(parameters, lightgbm.Dataset(X.copy(), y), ROUNDS).predict(X, raw_score=True)

    builtin = {"objective": "count:poisson", "base_score": 1.0}
    return {
        "xgboost": np.abs(by_xgboost({"base_score": 0.0}, ours["xgboost"]) - by_xgboost(builtin)).max(),
        "lightgbm": np.abs(by_lightgbm(ours["lightgbm"]) - by_lightgbm("poisson")).max(),
    }


def errors_under_heavy_tails(folder: Path) -> dict[str, float]:
    """How far predictions are from the truth, in the root of the mean square, after training on noise with heavy tails."""
    rng = np.random.default_rng(1)
    X, new = rng.normal(size=(600, 4)), rng.normal(size=(2000, 4))
    y = truth(X) + SCALE * rng.standard_t(FREEDOM, size=600)
    student = emitted(dv.likelihood("student t", "identity"), "xgboost", folder)
    own = student.student_t_objective(SCALE, FREEDOM)
    data = xgboost.DMatrix(X, y)
    score = student.student_t_score(y, SCALE, FREEDOM)
    boosters = {
        "squared error": xgboost.train({**XGB, "objective": "reg:squarederror"}, data, ROUNDS),
        "student t": xgboost.train({**XGB, "base_score": score}, data, ROUNDS, obj=own),
    }
    predictions = {name: b.predict(xgboost.DMatrix(new), output_margin=True) for name, b in boosters.items()}
    return {name: float(np.sqrt(np.mean((p - truth(new)) ** 2))) for name, p in predictions.items()}


def main(arguments: list[str] | None = None) -> dict[str, dict[str, float]]:
    parser = argparse.ArgumentParser(description="Derived objectives in boosting libraries.")
    parser.add_argument("--folder", type=Path, help="keep the emitted files there")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        differences, errors = largest_differences(folder), errors_under_heavy_tails(folder)
        source = (folder / "student_t_loss_xgboost.py").read_text(encoding="utf-8")
    print(source.partition("def student_t_weighted")[0])
    for library, difference in differences.items():
        print(
            f"{library}: raw outputs differ from those of the built-in Poisson objective by at most {difference:.1e}"
        )
    for name, error in errors.items():
        print(f"noise with heavy tails, trained with {name}: {error:.3f} from the truth")
    return {"differences": differences, "errors": errors}


if __name__ == "__main__":
    main()
