"""Which adapter serves which scheme, and the operations on any url."""

from __future__ import annotations

import importlib
from threading import RLock
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    ClassVar,
    NamedTuple,
    TypeVar,
    overload,
)

from tlc.errors import ConfigurationError, TlcError, UnknownSchemeError
from tlc.url import text as texts
from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry
from tlc.url.local import LocalUrlAdapter
from tlc.url.memory import MemoryUrlAdapter
from tlc.url.offers import LATE, AdapterInfo, Source, described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.metadata import EntryPoint

    from tlc.url.url import Url

__all__ = [
    "AdapterInfo",
    "UrlAdapterRegistry",
    "list_url_adapters",
    "list_url_schemes",
    "register_url_adapter",
]

ENTRY_POINTS = "tlc.url_adapters"
"""Entry point group of adapters: scheme -> class."""

AdapterClass = TypeVar("AdapterClass", bound=type[UrlAdapter])
# Inside the class below the name `list` means its method.
_Infos = list[AdapterInfo]
_Contents = list[bytes | TlcError]
_Names = list[str]


class _Entry(NamedTuple):
    adapter: UrlAdapter
    source: Source


class UrlAdapterRegistry:
    """The adapters of this process, and every operation of an adapter for a url of any scheme.

    Built-in adapters and those the program registers come first. Entry points fill the gaps: they
    are looked up when a scheme is missing, and each is loaded when its scheme is first asked for.
    """

    _lock: ClassVar[RLock] = RLock()
    _adapters: ClassVar[dict[str, _Entry]] = {}
    _entry_points: ClassVar[dict[str, EntryPoint] | None] = None

    @classmethod
    def register(cls, adapter: type[UrlAdapter] | UrlAdapter, *, override: bool = False) -> None:
        """Let an adapter serve its schemes.

        Args:
            adapter: A class that can be called without arguments, or an instance.
            override: Whether it may take a scheme from another class.

        Raises:
            ConfigurationError: Another class has the scheme and `override` is false.
        """
        cls._add(adapter, "registered", override=override)

    @classmethod
    def unregister(cls, scheme: str) -> None:
        """Forget the adapter of a scheme, if there is one."""
        with cls._lock:
            cls._adapters.pop(scheme, None)

    @classmethod
    def discover_entrypoint_adapters(cls) -> None:
        """Look again which packages offer adapters. Nothing of them is imported yet.

        Raises:
            ConfigurationError: Two packages offer an adapter for one scheme.
        """
        from importlib.metadata import entry_points  # late: slow, and rarely needed

        found: dict[str, EntryPoint] = {}
        for each in entry_points(group=ENTRY_POINTS):
            if found.setdefault(each.name, each).value != each.value:
                raise ConfigurationError(
                    f"Two packages offer an adapter for {each.name!r}: "
                    f"{found[each.name].value} and {each.value}.",
                    hint="Uninstall one of them.",
                )
        cls._entry_points = found

    @classmethod
    def find(cls, scheme: str) -> UrlAdapter | None:
        """Return the adapter of a scheme, or None."""
        entry = cls._adapters.get(scheme) or cls._load(scheme)
        return entry.adapter if entry else None

    @classmethod
    def get(cls, url: Url) -> UrlAdapter:
        """Return the adapter of a url.

        Raises:
            AliasError: The url starts with an alias that is not known.
            UnknownSchemeError: No adapter serves its scheme.
        """
        return cls.resolve(url)[0]

    @classmethod
    def list(cls) -> _Infos:
        """Return what is known of all adapters, sorted by scheme."""
        with cls._lock:
            infos = {scheme: _info(scheme, *entry) for scheme, entry in cls._adapters.items()}
        for late, (module, name) in LATE.items():
            infos.setdefault(late, described(name, module, late, "built-in"))
        for scheme, point in cls._offered().items():
            infos.setdefault(scheme, described(point.attr, point.module, scheme, "entry point"))
        return [infos[scheme] for scheme in sorted(infos)]

    @classmethod
    def read_binary_content_from_url(cls, url: Url) -> bytes:
        """Return the content of a file; see `UrlAdapter.read_binary_content_from_url`."""
        adapter, url = cls.resolve(url)
        return adapter.read_binary_content_from_url(url)

    @classmethod
    def exists(cls, url: Url) -> bool:
        """Return whether there is a file or folder at a url."""
        adapter, url = cls.resolve(url)
        return adapter.exists(url)

    @classmethod
    def write_binary_content_to_url(cls, url: Url, content: bytes) -> Url:
        """Write or replace a file; see `UrlAdapter.write_binary_content_to_url`."""
        adapter, url = cls.resolve(url)
        return adapter.write_binary_content_to_url(url, content)

    @classmethod
    def create_binary_content_at_url(cls, url: Url, content: bytes) -> Url:
        """Write a file that must not exist; see `UrlAdapter.create_binary_content_at_url`."""
        adapter, url = cls.resolve(url)
        return adapter.create_binary_content_at_url(url, content)

    @classmethod
    def append_binary_content_to_url(cls, url: Url, content: bytes, *, durable: bool = True) -> Url:
        """Add a record to the end of a file; see `UrlAdapter.append_binary_content_to_url`."""
        adapter, url = cls.resolve(url)
        return adapter.append_binary_content_to_url(url, content, durable=durable)

    @classmethod
    def list_dir(cls, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the entries of a folder; see `UrlAdapter.list_dir`."""
        adapter, url = cls.resolve(url)
        return adapter.list_dir(url)

    @classmethod
    def list_folders(cls, url: Url) -> _Names:
        """Return the names of the folders in a folder; see `UrlAdapter.list_folders`."""
        adapter, url = cls.resolve(url)
        return adapter.list_folders(url)

    @classmethod
    def delete_url(cls, url: Url) -> None:
        """Delete a file; see `UrlAdapter.delete_url`."""
        adapter, url = cls.resolve(url)
        adapter.delete_url(url)

    @classmethod
    def delete_tree(cls, url: Url) -> None:
        """Delete a folder and all below it; see `UrlAdapter.delete_tree`."""
        adapter, url = cls.resolve(url)
        adapter.delete_tree(url)

    @classmethod
    def get_file_size(cls, url: Url) -> int:
        """Return the length of a file in bytes; see `UrlAdapter.get_file_size`."""
        adapter, url = cls.resolve(url)
        return adapter.get_file_size(url)

    @classmethod
    def is_dir(cls, url: Url) -> bool:
        """Return whether there is a folder at a url; see `UrlAdapter.is_dir`."""
        adapter, url = cls.resolve(url)
        return adapter.is_dir(url)

    @classmethod
    def make_dirs(cls, url: Url) -> None:
        """Make a folder and those above it; see `UrlAdapter.make_dirs`."""
        adapter, url = cls.resolve(url)
        adapter.make_dirs(url)

    @classmethod
    def copy_url(cls, source: Url, destination: Url) -> Url:
        """Copy a file, also from one scheme to another, replacing what is there.

        Raises:
            UrlNotFoundError: There is no file at `source`.
            UnsupportedOperationError: The adapter of `destination` cannot write.
        """
        reader, source = cls.resolve(source)
        writer, destination = cls.resolve(destination)
        if reader is writer:
            return writer.copy_url(source, destination)
        content = reader.read_binary_content_from_url(source)
        return writer.write_binary_content_to_url(destination, content)

    @classmethod
    def read_range(cls, url: Url, offset: int, length: int) -> bytes:
        """Return a part of a file; see `UrlAdapter.read_range`."""
        adapter, url = cls.resolve(url)
        return adapter.read_range(url, offset, length)

    @classmethod
    def open_binary(cls, url: Url) -> BinaryIO:
        """Return a file object that reads and seeks; see `UrlAdapter.open_binary`."""
        adapter, url = cls.resolve(url)
        return adapter.open_binary(url)

    @classmethod
    def entity_tag(cls, url: Url) -> str | None:
        """Return a text that changes with the content; see `UrlAdapter.entity_tag`."""
        adapter, url = cls.resolve(url)
        return adapter.entity_tag(url)

    @classmethod
    def read_many(cls, urls: Sequence[Url]) -> _Contents:
        """Return the content of several files, of any schemes, in the order of `urls`.

        An error stands in the place of a file that cannot be read.
        """
        places: dict[UrlAdapter, dict[int, Url]] = {}
        contents: dict[int, bytes | TlcError] = {}
        for number, each in enumerate(urls):
            try:
                adapter, url = cls.resolve(each)
            except TlcError as error:
                contents[number] = error
            else:
                places.setdefault(adapter, {})[number] = url
        for adapter, group in places.items():
            contents.update(zip(group, adapter.read_many([*group.values()]), strict=True))
        return [contents[number] for number in range(len(urls))]

    @classmethod
    def resolve(cls, url: Url) -> tuple[UrlAdapter, Url]:
        """Return the adapter of a url, and the url as the adapter wants it.

        Raises:
            AliasError: The url starts with an alias that is not known.
            UnknownSchemeError: No adapter serves its scheme.
        """
        url = url.expand_aliases(allow_unexpanded=False)
        adapter = cls.find(url.scheme)
        if adapter is None:
            raise _unknown_scheme(url)
        return adapter, url.to_absolute()

    @classmethod
    def _add(
        cls, offered: type[UrlAdapter] | UrlAdapter, source: Source, *, override: bool = False
    ) -> None:
        adapter = offered if isinstance(offered, UrlAdapter) else offered()
        own_name = _name(type(adapter))
        with cls._lock:
            for scheme in adapter.schemes():
                present = cls._present(scheme)
                if not override and present not in (None, own_name):
                    raise ConfigurationError(
                        f"{own_name} cannot serve {scheme!r}: {present} does.",
                        hint="Pass override=True to replace it.",
                    )
            cls._adapters.update(dict.fromkeys(adapter.schemes(), _Entry(adapter, source)))
        _note_folders(adapter)

    @classmethod
    def _present(cls, scheme: str) -> str | None:
        entry = cls._adapters.get(scheme)
        return _name(type(entry.adapter)) if entry else ".".join(LATE.get(scheme, ())) or None

    @classmethod
    def _offered(cls) -> dict[str, EntryPoint]:
        with cls._lock:
            if cls._entry_points is None:
                cls.discover_entrypoint_adapters()
            return cls._entry_points or {}

    @classmethod
    def _load(cls, scheme: str) -> _Entry | None:
        if scheme in LATE:
            module, name = LATE[scheme]
            built_in: UrlAdapter = getattr(importlib.import_module(module), name)()
            with cls._lock:
                for each in built_in.schemes():
                    cls._adapters.setdefault(each, _Entry(built_in, "built-in"))
                return cls._adapters[scheme]
        point = cls._offered().get(scheme)
        if point is None:
            return None
        adapter = point.load()()
        _note_folders(adapter)
        with cls._lock:
            return cls._adapters.setdefault(scheme, _Entry(adapter, "entry point"))


def _name(adapter_class: type[UrlAdapter]) -> str:
    # By name: a notebook cell that is run again defines the same class once more.
    return f"{adapter_class.__module__}.{adapter_class.__qualname__}"


def _note_folders(adapter: UrlAdapter) -> None:
    if adapter.supports_relativization():
        for scheme in adapter.schemes():
            texts.add_folders(scheme)


def _info(scheme: str, adapter: UrlAdapter, source: Source) -> AdapterInfo:
    kind = type(adapter)
    return described(kind.__name__, kind.__module__, scheme, source)


def _unknown_scheme(url: Url) -> UnknownSchemeError:
    return UnknownSchemeError(
        f"No adapter is registered for the scheme '{url.scheme}' of {url}.",
        hint=f"Known schemes: {', '.join(list_url_schemes())}. "
        "Others can be added with tlc.url.register_url_adapter.",
    )


@overload
def register_url_adapter(adapter_class: AdapterClass, /) -> AdapterClass: ...
@overload
def register_url_adapter(*, override: bool = False) -> Callable[[AdapterClass], AdapterClass]: ...
def register_url_adapter(adapter_class: Any = None, /, *, override: bool = False) -> Any:
    """Register an adapter; decorates its class, with or without arguments.

    Args:
        adapter_class: A class that can be called without arguments.
        override: Whether it may take a scheme from another class.

    Raises:
        ConfigurationError: Another class has the scheme and `override` is false.
    """

    def register(decorated: type[UrlAdapter]) -> type[UrlAdapter]:
        UrlAdapterRegistry.register(decorated, override=override)
        return decorated

    return register if adapter_class is None else register(adapter_class)


def list_url_adapters() -> list[AdapterInfo]:
    """Return what is known of all adapters, sorted by scheme."""
    return UrlAdapterRegistry.list()


def list_url_schemes() -> list[str]:
    """Return the schemes that have an adapter, sorted."""
    return [info["scheme"] for info in UrlAdapterRegistry.list()]


for _built_in in (LocalUrlAdapter, MemoryUrlAdapter):
    UrlAdapterRegistry._add(_built_in, "built-in")
