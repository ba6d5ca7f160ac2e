"""A school for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.rooms.school import School


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    """The chat domain on an empty store."""
    school = await School.open(tmp_path)
    yield school
    await school.background.idle()
    await school.store.close()
