"""What the tests of rendering share."""

from collections.abc import Iterator

import pytest

from derive.render import finish


@pytest.fixture
def slices_written_out() -> Iterator[None]:
    """Lines keep the indices of their slices, ``Q[b,h]``, so that they can be evaluated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finish, "_stripped", lambda line: line)
        yield
