"""Changes to manifests, logs and Parquet files that somebody who means harm would make.

What has a checksum gets a new one that fits, so that more than the checksum stands in the way.
"""

from __future__ import annotations

import copy
import hashlib
import json
import zlib

TEXTS = [
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "é" * 300,
        "x" * 10_000,
        "..",
        ".",
        "/",
        "//",
        "\\",
        "~",
    ),
    *("../../../../../../etc/passwd", "/etc/passwd", "/dev/zero", "/proc/self/mem", "/dev/stdin"),
    *(
        "file:///etc/passwd",
        "http://127.0.0.1:9/x",
        "https://[::1]:9/x.parquet",
        "ftp://h/x",
        "://",
    ),
    *(
        "s3://bucket/x.parquet",
        "memory://",
        "memory://h",
        "memory:///x",
        "<A>/x",
        "<A>",
        "<",
        "a://b",
    ),
    *(
        "os.system",
        "builtins.eval",
        "py/object:os.system",
        "!!python/object/apply:os.system",
        "torch",
    ),
    *(
        "subprocess:Popen",
        "__import__('os').system('id')",
        "sklearn.svm",
        "antigravity",
        "../x.json",
    ),
    *("nan", "NaN", "inf", "1e999", "-1", "0", "9" * 5000, "true", "null", "None", "[]", "{}"),
    *("table", "run", "metrics", "revision", "input", "layers", "data", "patch", "take", "concat"),
    *("int8", "int64", "uint64", "float32", "float64", "bool", "string", "bytes", "dict", "date"),
    *("pil_png", "external_numpy_array", "numpy_array", "torch_tensor", "hidden", "url", "no such"),
    *("URL", "URL/Image", "URL/x", "sample_weight", "label", "2026-11-22", "9999-99-99T99:99:99Z"),
]
NUMBERS = [
    *(0, -0.0, -1, 1, 2, 3, 5, 60, 127, 128, 255, 256, 2**15, 2**31 - 1, 2**31, -(2**31), 2**32),
    *(2**53, 2**62, 2**63 - 1, 2**63, -(2**63), 2**64, 10**20, 10**4299, 0.5, 1e-320, 1e308, 3e38),
]
MARKED = [
    *({"__float__": "nan"}, {"__float__": "x"}, {"__float__": 1}, {"__bytes__": "AA=="}),
    *({"__bytes__": "!"}, {"$float": "nan"}, {"$float": 3}, {"py/object": "os.system"}),
]
RAW = [
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000, "1" + "0" * 400, "0x10", "01"),
    *("1.", ".5", "+1", "'x'", "undefined", "None", "True", '"\\ud800"', '"\\udc00x"', '"\\u0000"'),
    *('"\\x"', '"a\nb"', "[" * 2000, "[" * 5000 + "]" * 5000, '{"a":' * 3000, "/*x*/1", "//", ""),
]


_MOST_PARTS = 5000


def deep(generator):
    """Return a value that is nested some hundred times."""
    value = generator.choice([0, "x", [], {}])
    for _ in range(generator.choice([3, 20, 70, 150])):
        key = generator.choice(["values", "inputs", "layers", "parents", ""])
        value = {key: value} if key else [value]
    return value


def hostile_value(generator):
    """Return any JSON value that is rarely thought of."""
    return generator.choice(
        [
            lambda: generator.choice(TEXTS),
            lambda: generator.choice(TEXTS),
            lambda: generator.choice(NUMBERS),
            lambda: generator.choice(NUMBERS),
            lambda: generator.choice([None, True, False, [], {}, [[]], [None], {"": None}]),
            lambda: copy.deepcopy(generator.choice(MARKED)),
            lambda: [generator.choice(TEXTS) for _ in range(generator.choice([1, 3, 500]))],
            lambda: {text: generator.choice(NUMBERS) for text in generator.sample(TEXTS, 5)},
        ]
    )()


def places(value, found=None):
    """Return every container and key of a JSON value."""
    found = [] if found is None else found
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in pairs:
        found.append((value, key))
        if isinstance(part, dict | list):
            places(part, found)
    return found


def changed(value, generator):
    """Return a JSON value with some of its parts changed."""
    value = copy.deepcopy(value)
    for _ in range(generator.choice([1, 1, 1, 2, 5])):
        found = places(value)
        if not found or len(found) > _MOST_PARTS:
            return value
        generator.choice(CHANGES)(generator, found, *generator.choice(found))
    return value


def put(generator, found, holder, key):
    holder[key] = hostile_value(generator)


def put_deep(generator, found, holder, key):
    holder[key] = deep(generator)


def remove(generator, found, holder, key):
    del holder[key]


def move(generator, found, holder, key):
    other, at = generator.choice(found)
    holder[key] = copy.deepcopy(other[at])


def exchange(generator, found, holder, key):
    other, at = generator.choice(found)
    first, second = copy.deepcopy(holder[key]), copy.deepcopy(other[at])
    holder[key], other[at] = second, first


def rename(generator, found, holder, key):
    if isinstance(holder, dict):
        holder[generator.choice(TEXTS)] = holder.pop(key)


def multiply(generator, found, holder, key):
    if isinstance(holder, list):
        holder[key:key] = [holder[key]] * generator.choice([1, 10, 300])


def nudge(generator, found, holder, key):
    if isinstance(holder[key], int) and not isinstance(holder[key], bool):
        holder[key] += generator.choice([-1, 1, 7, -100, 10**6, 10**12])
    else:
        put(generator, found, holder, key)


CHANGES = [put, put, put, put, nudge, nudge, remove, move, exchange, rename, multiply, put_deep]


def changed_text(text, generator):
    """Return the text of a JSON value as a careless or a mean program would write it."""
    kind = generator.randrange(6)
    at = generator.randrange(len(text))
    if kind == 0:
        return text[:at]
    if kind == 1:
        return generator.choice(["\ufeff", "\x00", " " * 1000, "[" * 2000]) + text
    if kind == 2:  # a member twice
        head, brace, tail = text.partition("{")
        twice = f'"{generator.choice(["id", "kind", "stack", "rows_schema", "format"])}": null,'
        return f"{head}{brace}{twice}{tail}"
    if kind == 3:
        return text[:at] + generator.choice(RAW) + text[at:]
    end = text.find(",", at)
    start = text.rfind(":", 0, at) + 1
    return text[:start] + generator.choice(RAW) + text[max(end, start) :]


def sealed_manifest(body):
    """Return the bytes of a manifest with a digest that fits."""
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    digest = hashlib.sha256(body).hexdigest()
    return body + b',\n  "digest": "sha256:%s"\n}\n' % digest.encode()


def manifest(content, generator):
    """Return a hostile manifest, made from a good one."""
    value = json.loads(content)
    del value["digest"]
    if generator.random() < 0.75:
        text = _dumped(changed(value, generator))
    else:
        text = changed_text(_dumped(value), generator)
    return sealed_manifest(text.rstrip()[:-1] if text.rstrip().endswith("}") else text)


def events(content, generator):
    """Return a hostile log, made from a good one."""
    lines = content.splitlines()
    for _ in range(generator.choice([1, 1, 3])):
        at = generator.randrange(len(lines))
        try:
            value = json.loads(lines[at])
        except (ValueError, RecursionError):  # changed before
            continue
        value.pop("crc32", None)
        if generator.random() < 0.75:
            text = _dumped(changed(value, generator))
        else:
            text = changed_text(_dumped(value), generator)
        body = text.rstrip()[:-1].encode("utf-8", "surrogatepass")
        line = body + b',"crc32":"%08x"}' % zlib.crc32(body)
        if b"\n" not in line and line.count(b'"crc32"') == 1:
            lines[at] = line
    return b"\n".join(lines) + b"\n"


def _dumped(value):
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "{}"


def parquet(content, generator):
    """Return a hostile Parquet file, made from a good one."""
    data = bytearray(content)
    footer = int.from_bytes(data[-8:-4], "little")
    for _ in range(generator.choice([1, 1, 2, 8, 50])):
        # The footer says what to do with the rest, so that is where to aim.
        low = len(data) - 8 - footer if generator.random() < 0.7 else 0
        at = generator.randrange(max(low, 0), len(data))
        kind = generator.randrange(5)
        if kind == 0:
            data[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            data[at] = generator.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif kind == 2:
            data[at : at + 5] = b"\xff\xff\xff\xff\x0f"
        elif kind == 3:
            del data[at : at + generator.choice([1, 4, 30])]
        else:
            data[at:at] = data[at : at + generator.choice([1, 8, 64])]
        if len(data) < 16:
            break
    if generator.random() < 0.5 and len(data) > 16:
        data[-8:-4] = (footer + len(data) - len(content)).to_bytes(4, "little", signed=True)
        data[-4:] = b"PAR1"
    return bytes(data)


def resealed_parquet(data):
    """Return a file with a seal before its footer that fits, as far as there is a footer."""
    length = int.from_bytes(data[-8:-4], "little") + 8
    if length + 8 > len(data):
        return data
    end = data[-length:]
    return data[: -length - 8] + b"tlcF" + zlib.crc32(end).to_bytes(4, "little") + end


def described(content, data, same_file):
    """Return a manifest that says of a Parquet file what is so of `data`.

    Args:
        content: A good manifest.
        data: The file.
        same_file: Says whether an entry of a file is the one of `data`.
    """
    value = json.loads(content)
    del value["digest"]
    length = min(int.from_bytes(data[-8:-4], "little") + 8, len(data))
    for holder, key in places(value):
        if isinstance(holder, dict) and key == "path" and same_file(holder["path"]):
            holder["length"] = len(data)
            holder["digest"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
            holder["footer"] = f"sha256:{hashlib.sha256(data[-length:]).hexdigest()}"
    return sealed_manifest(json.dumps(value)[:-1])
