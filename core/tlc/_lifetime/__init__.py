"""What must not be lost with the process: it is looked after once a second, and at the end.

Writers, logs and runs register here what they hold while they hold it. One thread, which exists
only as long as there is something, gives each its turn. However the process ends, as long as Python
runs any more of it, each is then told how: after the last line, an uncaught exception,
``sys.exit``, Ctrl-C or SIGTERM. Nothing can be told after SIGKILL, ``os._exit`` or a crash of the
interpreter; then what had its turn before is on disk.
"""

from tlc._lifetime.ending import keep
from tlc._lifetime.keeper import Ending, Kept, Outcome, forget_all, release

__all__ = ["Ending", "Kept", "Outcome", "forget_all", "keep", "release"]
