"""Run as a program: a terminal that is killed by its test. Arguments: folder, port, keepalive seconds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.brokers import Broker
from tests.uplink.terminals import Terminal

if __name__ == "__main__":
    place = cast(Broker, SimpleNamespace(host="127.0.0.1", port=int(sys.argv[2])))
    with Terminal(Path(sys.argv[1]), place, keepalive_s=int(sys.argv[3])):
        time.sleep(600)
