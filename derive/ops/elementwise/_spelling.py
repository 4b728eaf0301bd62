"""How functions are spelled that no library has: by the array code of their records, or a helper of a kernel."""


def brought_along(name: str) -> dict[str, str]:
    """The spelling of a function of one argument that an emitted file brings along."""
    array = f"_{name}({{0}})"
    return {"numpy": array, "torch": array, "jax": array, "numba": f"{name}({{0}})"}
