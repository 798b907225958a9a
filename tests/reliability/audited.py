"""A process that reads hostile objects and tells of all that it did beside reading.

``python audited.py FILES COUNT`` answers with a line of JSON: what Python's audit hook saw that
reading has no need of.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import sys
import warnings
from collections import Counter

from tests.reliability import hostile, mutations

KNOWN = {"tlc", "pyarrow", "numpy", "PIL", "msgspec", "pandas", *sys.stdlib_module_names}
KNOWN |= {"obstore"}  # which reads the stores that urls name
NEVER = {"antigravity", "subprocess", "sklearn", "torch", "pickle", "this", "code"}
DEEDS = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.", "socket.")
DEEDS += ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
DEEDS += ("os.chmod", "os.chown", "os.putenv", "shutil.", "ctypes.", "pickle.", "builtins.input")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Audit:
    """Notes what reading has no need of, while it is on."""

    def __init__(self):
        self.is_on = False
        self.seen = Counter()
        sys.addaudithook(self.look)

    def look(self, event, arguments):
        if self.is_on and self.is_suspicious(event, arguments):
            self.seen[f"{event} {arguments!r:.200}"] += 1

    def is_suspicious(self, event, arguments):
        if event == "import":
            top = arguments[0].partition(".")[0]
            return top in NEVER or top not in KNOWN
        if event == "open":
            _path, mode, flags = arguments
            return bool(flags & WRITING) or (mode is not None and set(mode) & set("wax+"))
        if event == "exec":  # the code of a module that is imported has the name of its file
            return arguments[0].co_filename == "<string>"
        return event.startswith(DEEDS)


def main():
    files, count = sys.argv[1:]
    warnings.simplefilter("ignore")
    sys.modules["torch"] = None  # whose import does all of this; what names it must not matter
    with open(files, "rb") as file:
        reader = hostile.Reader(*pickle.load(file))
    audit, seen = Audit(), Counter()
    warm_up(reader)
    for number in range(int(count)):
        generator = random.Random(-1 - number)
        kind = generator.choice(["manifest", "manifest", "parquet", "events"])
        audit.is_on = True
        reader.read(kind, generator, seen)
        audit.is_on = False
    sys.stdout.write(json.dumps({"audit": audit.seen, "seen": seen}))


def warm_up(reader):
    """Read everything once, so that what it needs is imported."""
    import importlib.metadata  # looked into for types and schemes that are not known here

    from PIL import Image

    Image.init()
    assert importlib.metadata
    assert mutations
    for user in sorted({user for users in reader.users.values() for user in users}):
        for act in hostile.acts(f"{hostile.HOST}/{user}", thorough=True):
            act()


if __name__ == "__main__":
    main()
