"""The von Mises distribution of angles: the normal law on the circle."""

import scipy
import sympy

from ..ops.elementwise.bessel import i0
from ._record import Distribution, Parameter

VON_MISES = Distribution(
    name="von mises",
    parameters=(Parameter("location"), Parameter("concentration", ("positive",))),
    log_density=lambda x, location, concentration: (
        concentration * sympy.cos(x - location) - sympy.log(2 * sympy.pi * i0(concentration))
    ),
    bounds=lambda location, concentration: (location - sympy.pi, location + sympy.pi),
    reference=lambda location, concentration: scipy.stats.vonmises(concentration, location),
    source="Mardia and Jupp (2000), Directional Statistics, sec. 3.5.4",
)
