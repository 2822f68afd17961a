"""The real daemon and the real centre at a real broker: rice whose home is elsewhere, and rice that is called back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from paho.mqtt.publish import single

from edge_agent.authority_message import ReleaseRequest, new_request_id, sign_message
from edge_agent.clock import SystemClock
from edge_agent.key_files import load_signing_key
from edge_agent.roster_list import roster_list, write_roster_list
from edge_agent.settings import load
from edge_agent.store import keys
from edge_agent.wiring import load_manifest, open_store
from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.stories.daemon import GUEST, SITE, TERMINAL, begin, lay_ground, roster_of, seal

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow, needs_mosquitto]
ELSEWHERE = "t-9"


def test_the_centre_grants_what_it_holds_and_calls_back_what_this_terminal_holds(tmp_path: Path) -> None:
    ground = lay_ground(tmp_path / "ground")
    content = roster_of(ground, 2)
    homes = {f"{GUEST}-rice": None, "s2-rice": TERMINAL, "s3-rice": ELSEWHERE}
    rights = tuple(replace(one, home=homes[one.entitlement_id], lease_until=None) for one in content.entitlements)
    content = replace(content, entitlements=rights)
    (tmp_path / "two.aid").write_bytes(seal(ground, content, TERMINAL, ELSEWHERE))
    write_roster_list(tmp_path / "list.json", roster_list(SITE, 2, [TERMINAL, ELSEWHERE], rights))
    office = ground.folder / "keys" / keys.ROSTER_KEY
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as ears:
        story = begin(ground, tmp_path / "asks", broker, ears, session={"authorise_s": 10.0})
        settings = load(story.config).settings
        with open_store(settings, load_manifest(settings)) as store:
            store.import_roster(tmp_path / "two.aid", SystemClock().now())
        command = [sys.executable, "-m", "edge_agent", "centre", "authorise", "--broker", f"localhost:{broker.port}"]
        command += ["--topic-prefix", story.topic, "--roster-list", str(tmp_path / "list.json"), "--sign", str(office)]
        command += ["--terminal", f"{TERMINAL}={ground.folder / 'keys' / keys.SIGNING_PUBLIC}"]
        command += ["--books", str(tmp_path / "books.db")]
        log = tmp_path / "centre.log"
        with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as centre:
            try:
                wait_until(lambda: "listening" in log.read_text(), f"the centre to listen; see {log}")
                with story:
                    given = story.await_told("events", type="aid.claim.recorded.v1")
                    (claim,) = given["data"]["claims"]
                    assert (claim["entitlement_id"], claim["grant"]) == (f"{GUEST}-rice", 1)
                    request = ReleaseRequest(
                        request_id=new_request_id(),
                        site=SITE,
                        terminal=TERMINAL,
                        at=datetime.now(timezone.utc),
                        entitlement_id="s2-rice",
                        grant_number=0,
                    )
                    topic = f"{story.topic}/{SITE}/{TERMINAL}/commands"
                    single(
                        topic,
                        sign_message(request, load_signing_key(office)),
                        1,
                        hostname="localhost",
                        port=broker.port,
                    )
                    back = story.await_told("events", type="aid.entitlement.released.v1")
                    assert back["data"]["entitlement_id"] == "s2-rice"
                    assert back["data"]["claimed"] is False
            finally:
                centre.kill()
        story.check_nothing_lost()
