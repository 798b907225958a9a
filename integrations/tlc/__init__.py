"""Part of the package ``tlc``; the public names are in the core's ``tlc/__init__.py``."""

__path__ = __import__("pkgutil").extend_path(__path__, __name__)
