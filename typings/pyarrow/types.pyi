# pyarrow ships types for a part of itself only: to the checkers all of it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
