"""The version of the distribution ``opentlc``.

Numbers start at 3 because the public names follow the third generation of the ``tlc`` API: programs
that ask for ``tlc.__version__ >= 2.16`` before they start find what they need.
"""

__version__ = "3.0.0"
