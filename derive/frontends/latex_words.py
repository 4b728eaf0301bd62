"""What the commands of LaTeX stand for in a formula: letters, functions, signs, brackets, and what is only layout."""

from __future__ import annotations

GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "ell",
}  # fmt: skip
LETTERS = {
    **{name: name for name in GREEK}, "lambda": "lambda_", "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi",
    "varrho": "rho", "varsigma": "sigma", "varkappa": "kappa", "imath": "i", "jmath": "j", "infty": "inf",
}  # fmt: skip
"""Commands that are letters; ``lambda`` is a word of Python."""

FUNCTIONS = {
    "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan", "det": "det", "tr": "tr", "Tr": "tr",
    "trace": "tr", "diag": "diag", "softmax": "softmax", "relu": "relu", "sigmoid": "sigmoid", "logit": "logit",
    "softplus": "softplus", "logsumexp": "logsumexp", "lse": "logsumexp", "sign": "sign", "sgn": "sign", "abs": "abs",
    "erf": "erf", "erfc": "erfc", "logdet": "logdet", "max": "max", "min": "min", "mean": "mean", "sum": "sum",
    "sqrt": "sqrt", "inv": "inv", "lg": "log10", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "expm1": "expm1", "log1p": "log1p", "expit": "sigmoid",
    "floor": "floor", "ceil": "ceil", "round": "round", "prod": "prod", "var": "np.var", "std": "np.std",
    "lgamma": "gammaln", "digamma": "digamma", "logsigmoid": "log_expit", "chol": "cholesky", "pinv": "pinv", "kron": "kron",
    "nabla": "nabla",
    "vec": "vec",
}  # fmt: skip
"""Functions by how they are written, without regard to capitals, and how formulas call them."""

BIG = {"sum": "sum", "prod": "prod", "max": "max", "min": "min"}
"""Commands that run over indices when they have a subscript."""

SIGNS = {
    "cdot": ("TIMES", "dot"), "times": ("TIMES", "*"), "ast": ("TIMES", "*"), "odot": ("TIMES", ".*"),
    "circ": ("TIMES", ".*"), "oslash": ("TIMES", "./"), "otimes": ("TIMES", "kron"), "div": ("TIMES", "/"),
    "le": ("COMPARE", "<="), "leq": ("COMPARE", "<="), "leqslant": ("COMPARE", "<="), "ge": ("COMPARE", ">="),
    "geq": ("COMPARE", ">="), "geqslant": ("COMPARE", ">="), "lt": ("COMPARE", "<"), "gt": ("COMPARE", ">"),
    "ne": ("COMPARE", "!="), "neq": ("COMPARE", "!="), "coloneqq": ("EQUALS", "="), "triangleq": ("EQUALS", "="),
    "equiv": ("EQUALS", "="), "doteq": ("EQUALS", "="), "top": ("TOP", "T"), "intercal": ("TOP", "T"),
    "prime": ("TICK", "'"), "dagger": ("DAGGER", "dagger"), "dag": ("DAGGER", "dagger"), "star": ("STAR", "*"),
    "frac": ("FRAC", "frac"), "dfrac": ("FRAC", "frac"), "tfrac": ("FRAC", "frac"), "cfrac": ("FRAC", "frac"),
    "sqrt": ("SQRT", "sqrt"), "Vert": ("NORM", "norm"), "lVert": ("LNORM", "norm"), "rVert": ("RNORM", "norm"),
    "vert": ("BAR", "bars"), "lvert": ("LBAR", "bars"), "rvert": ("RBAR", "bars"), "langle": ("LANGLE", "<"),
    "rangle": ("RANGLE", ">"), "lfloor": ("LFLOOR", "floor"), "rfloor": ("RFLOOR", "floor"),
    "lceil": ("LCEIL", "ceil"), "rceil": ("RCEIL", "ceil"), "lbrace": ("LSET", "{"), "rbrace": ("RSET", "}"),
    "lbrack": ("LSQB", "["), "rbrack": ("RSQB", "]"),
}  # fmt: skip
"""Commands that are signs: their kind of token, and how formulas write them."""

OPENING = {"left", "bigl", "Bigl", "biggl", "Biggl"}
CLOSING = {"right", "bigr", "Bigr", "biggr", "Biggr"}
"""Commands that say of a bar on which side it stands."""

LAYOUT = {
    "quad", "qquad", "big", "Big", "bigg", "Bigg", "middle", "displaystyle", "textstyle", "scriptstyle", "limits",
    "nolimits", "nonumber", "notag", "thinspace", "medspace", "thickspace", "enspace", "hfill", "mathstrut", "strut",
}  # fmt: skip
"""Commands that mean nothing."""

BOLD = {"mathbf", "boldsymbol", "bm", "pmb", "vec"}
FONTS = {*BOLD, "mathcal", "mathbb", "mathfrak", "mathscr", "mathit", "mathnormal"}
ACCENTS = {
    "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "bar", "overline": "bar", "dot": "dot",
    "ddot": "ddot", "check": "check", "breve": "breve", "underline": "underline",
}  # fmt: skip
"""Accents, which become part of the name: ``\\hat{y}`` is y_hat."""
UPRIGHT = {"mathrm", "operatorname", "text", "textrm", "mathsf", "mathtt", "texttt", "textit", "textbf", "mathop"}
"""Commands around words."""

MISSING = {
    "int": "there are no integrals",
    "partial": "dv.grad gives derivatives: write the function itself", "lim": "there are no limits",
    "ldots": "write a sum as \\sum_{i=1}^{n}", "cdots": "write a sum as \\sum_{i=1}^{n}",
    "dots": "write a sum as \\sum_{i=1}^{n}", "Pr": "there are no probabilities", "argmin": "write what is minimised",
    "argmax": "write what is maximised", "arg": "write what is minimised", "mid": "there are no probabilities",
    "begin": "matrices and cases entry by entry are not read", "end": "matrices and cases entry by entry are not read",
    "in": "write the range of a sum as \\sum_{i=1}^{n}", "pm": "a formula has one value", "mp": "a formula has one value",
    "propto": "write = instead", "sim": "there are no distributions", "approx": "write = instead",
}  # fmt: skip
"""Commands that have no meaning here, and what to try."""
