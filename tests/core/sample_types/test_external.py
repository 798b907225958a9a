"""A sample type of one's own: sounds, as an audio package would write it."""

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tlc.errors import CorruptObjectError, SchemaError, UrlNotFoundError
from tlc.sample_types import (
    EncodedSample,
    ExternalSampleType,
    ValidationError,
    register_sample_type,
)
from tlc.schemas import ExternalNumpyArraySchema, StringSchema
from tlc.testing.sample_type_contract import FolderContext, SampleTypeContract
from tlc.url import Url


@dataclass
class Sound:
    waveform: np.ndarray
    rate: int


@register_sample_type("test_wav_sound", override=True)
class SoundSampleType(ExternalSampleType):
    file_extension = ".wav"

    @classmethod
    def schema(cls, **arguments):
        return StringSchema(string_role="URL/Audio", sample_type=cls.name, **arguments)

    def accepts(self, value):
        return isinstance(value, Sound)

    def validate_sample(self, sample):
        ndim = sample.waveform.ndim
        return [] if ndim == 1 else [ValidationError("waveform", f"it has {ndim} dimensions")]

    def save(self, sample, url):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((1, 2, sample.rate, 0, "NONE", ""))
            file.writeframes(sample.waveform.astype("<i2").tobytes())
        url.write_bytes(buffer.getvalue())

    def load(self, url):
        with wave.open(io.BytesIO(url.read_bytes())) as file:
            frames = file.readframes(file.getnframes())
            return Sound(np.frombuffer(frames, "<i2"), file.getframerate())


SOUND = Sound(np.array([0, 32767, -32768, 5], "<i2"), 16000)


class TestSounds(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return SoundSampleType.schema(display_name="Sound")

    @pytest.fixture
    def samples(self):
        return [SOUND, Sound(np.zeros(0, "<i2"), 8000)]

    @pytest.fixture
    def bad_samples(self):
        return [Sound(np.zeros((2, 2)), 8000), 3.0]

    def same(self, sample, other):
        return sample.rate == other.rate and np.array_equal(sample.waveform, other.waveform)


@pytest.fixture
def context(tmp_path):
    return FolderContext(tmp_path)


def test_rows_hold_the_url_of_a_new_file(context, tmp_path):
    schema = SoundSampleType.schema()
    rows = [schema.to_row(SOUND, context) for _ in range(2)]
    assert rows == [str(tmp_path / "0000000.wav"), str(tmp_path / "0000001.wav")]


def test_encoded_samples_do_not_go_through_save(context, monkeypatch):
    monkeypatch.setattr(SoundSampleType, "save", None)
    schema = SoundSampleType.schema()
    row = schema.to_row(EncodedSample(b"RIFF", ".flac"), context)
    assert (Path(row).suffix, Path(row).read_bytes()) == (".flac", b"RIFF")
    assert Path(schema.to_row(b"RIFF", context)).name.endswith(".wav")


@pytest.mark.parametrize("kind", [str, Path, Url])
def test_files_can_be_referenced(context, kind):
    assert SoundSampleType.schema().to_row(kind("/sounds/a.wav"), context) == "/sounds/a.wav"


def test_all_faults_are_told(context):
    with pytest.raises(SchemaError, match=r"'test_wav_sound': waveform: it has 2 dimensions"):
        SoundSampleType.schema().to_row(Sound(np.zeros((2, 2)), 8000), context)


def test_unless_said_otherwise_everything_but_a_string_is_a_sample():
    class Anything(ExternalSampleType):
        file_extension = ".bin"

        def save(self, sample, url): ...

        def load(self, url): ...

    sample_type = Anything(StringSchema())
    assert sample_type.accepts(3)
    assert sample_type.accepts("relative/path")
    assert not sample_type.accepts("/absolute/path")


def test_arrays_that_hold_objects_are_not_read(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(CorruptObjectError, match=r"a\.npy"):
        ExternalNumpyArraySchema().from_row(str(tmp_path / "a.npy"))


def test_other_files_are_no_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", np.zeros(3))
    (tmp_path / "empty.npy").touch()
    for name in ("a.npz", "empty.npy"):
        with pytest.raises(CorruptObjectError, match=name):
            ExternalNumpyArraySchema().from_row(str(tmp_path / name))
    with pytest.raises(UrlNotFoundError):
        ExternalNumpyArraySchema().from_row(str(tmp_path / "missing.npy"))
