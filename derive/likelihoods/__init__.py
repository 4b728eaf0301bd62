"""Losses from likelihoods: `loss.likelihood` names the rooms it walks through; links are records in `links`."""

from .likelihood import likelihood
from .links import LINKS, Link
from .loss import Loss

__all__ = ["LINKS", "Link", "Loss", "likelihood"]
