"""Adapters for training frameworks: each subclasses a hook of its framework and only translates.

Import the one you need, such as `tlc.integration.torch`; this package imports none of them.
"""
