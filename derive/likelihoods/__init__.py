"""Losses from likelihoods: `loss.likelihood` names the rooms it walks through; links are records in `links`."""

from .fit_result import Fit
from .likelihood import likelihood
from .links import LINKS, Link
from .loss import Loss

__all__ = ["LINKS", "Fit", "Link", "Loss", "likelihood"]
