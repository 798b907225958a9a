from importlib.metadata import EntryPoint, EntryPoints

import pytest

from tlc.errors import SchemaError, UnknownSampleTypeError
from tlc.sample_types import Identity, list_sample_types, register_sample_type, registry
from tlc.schemas import StringSchema


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


class Plugin(Identity):
    """Stands for a class of another distribution."""


@pytest.fixture
def plugins(monkeypatch):
    def install(**values):
        points = EntryPoints(
            EntryPoint(name, value, registry.ENTRY_POINTS) for name, value in values.items()
        )
        monkeypatch.setattr(registry, "_entry_points", lambda: points)

    return install


def test_built_in_names():
    assert set(list_sample_types()) >= {
        *("hidden", "url", "pil_png", "pil_jpeg", "pil_webp", "numpy_array", "torch_tensor"),
        *("external_numpy_array", "external_torch_tensor"),
    }


def test_the_decorator_gives_the_name():
    @register_sample_type("mine")
    class Mine(Identity):
        pass

    assert Mine.name == "mine"
    assert "mine" in list_sample_types()
    assert isinstance(StringSchema(sample_type="mine").resolved_sample_type, Mine)


def test_a_name_is_taken_once():
    register_sample_type("mine")(Plugin)
    with pytest.raises(SchemaError, match=r"Plugin already.*override"):
        register_sample_type("mine")(type("Other", (Identity,), {}))
    other = register_sample_type("mine", override=True)(type("Other", (Identity,), {}))
    assert isinstance(StringSchema(sample_type="mine").resolved_sample_type, other)


def test_a_class_defined_again_replaces_itself():
    def define():
        @register_sample_type("mine")
        class Mine(Identity):
            pass

        return Mine

    define()
    latest = define()
    assert type(StringSchema(sample_type="mine").resolved_sample_type) is latest


def test_a_name_is_needed():
    with pytest.raises(SchemaError, match="needs a name"):
        register_sample_type("")(Plugin)


def test_entry_points_are_loaded_when_asked_for(plugins):
    plugins(theirs=f"{__name__}:Plugin", broken="no_such_module:Nothing")
    registry.Plugin = Plugin
    plugins(theirs="tlc.sample_types.registry:Plugin", broken="no_such_module:Nothing")
    try:
        assert {"theirs", "broken"} <= set(list_sample_types())
        assert isinstance(StringSchema(sample_type="theirs").resolved_sample_type, Plugin)
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            _ = StringSchema(sample_type="broken").resolved_sample_type
    finally:
        del registry.Plugin


def test_an_entry_point_must_be_a_sample_type(plugins):
    plugins(odd="pathlib:Path")
    with pytest.raises(SchemaError, match="pathlib:Path"):
        _ = StringSchema(sample_type="odd").resolved_sample_type


def test_an_unknown_name_lists_the_known(plugins):
    plugins(theirs="a:B")
    with pytest.raises(UnknownSampleTypeError, match=r"'odd'.*pil_png.*theirs.*Hint"):
        _ = StringSchema(sample_type="odd").resolved_sample_type
