"""Losses from likelihoods: `loss.likelihood` names the rooms it walks through; links are records in `links`."""

from .links import LINKS, Link
from .loss import Loss, likelihood

__all__ = ["LINKS", "Link", "Loss", "likelihood"]
