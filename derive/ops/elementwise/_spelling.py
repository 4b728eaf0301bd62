"""How functions are spelled that no library has: by the array code of their records, or a helper of a kernel."""


def brought_along(name: str, arity: int = 1) -> dict[str, str]:
    """The spelling of a function that an emitted file brings along."""
    slots = ", ".join(f"{{{k}}}" for k in range(arity))
    return dict.fromkeys(("numpy", "torch", "jax"), f"_{name}({slots})") | {"numba": f"{name}({slots})"}
