"""The uplink thread: keeps the link up, sends birth and heartbeats, lets the courier carry.

Rules: nothing here blocks longer than a tick, so the heartbeat for the watchdog is always fresh and `stop` is always
heard; nobody else ever waits for this thread. The outbox connection is opened, used and closed in it. A broken
outbox, a refusing broker or an error nobody foresaw is told once, waited out and tried again: the terminal goes on
serving people meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edge_agent.core.messages import AskAuthority, PartFailed, PartRecovered
from edge_agent.ports import Outbox, OutboxRow
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.uplink import telemetry
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.courier import FIRST_FAILURE, NO_MATCHING_SUBSCRIBERS, Courier
from edge_agent.uplink.host_health import HostHealth
from edge_agent.uplink.link import BrokerLink
from edge_agent.uplink.link_events import Answered, Closed, LinkEvent, Opened, Received, Subscribed
from edge_agent.uplink.link_words import answer_words
from edge_agent.uplink.outbox_access import OutboxAccess
from edge_agent.uplink.troubles import Report, Troubles
from edge_agent.uplink.wire import (
    HostReadings,
    LinkReadings,
    QueueReadings,
    TerminalSnapshot,
    Topics,
    client_id,
    event_message,
)

STOP_WITHIN_S = 5.0
_TICK_S = 1.0
_LOOK_AGAIN_S = 5.0
"""The outbox is looked into this often without being woken: a lost wake-up delays, it never strands."""
_STEADY_AFTER_S = 10.0
"""A connection that stood this long was a good one: the next back-off starts small. One that the broker ends at once,
as when two terminals share a client id, keeps growing it."""
_CUT_SHORT_TIMES = 3
"""So many connections in a row that did not last point to a second terminal with this client id: a broker that is taken
over by the other ends this one, and not every broker says why (mosquitto 2.0 doesn't)."""
_WILL_DELAY_MAX_S = 30
"""A link that comes back within this (or the keepalive, if shorter) was never away, as far as `status` goes."""


class UplinkWorker:
    """The uplink of one terminal. `snapshot`, `post`, `report`, `beat` and `host` are called from its thread.

    post: gets PartFailed / PartRecovered for Part.UPLINK and must not block. beat: stamps the watchdog, at least
    every two seconds. needs_subscriber: see `Courier`. clock: monotonic seconds. rng: floats in [0, 1).
    authority: asks the centre; None: this terminal never does.
    """

    def __init__(
        self,
        settings: UplinkSettings,
        terminal_id: str,
        site: str,
        outbox_factory: Callable[[], Outbox],
        *,
        snapshot: Callable[[], TerminalSnapshot],
        post: Callable[[PartFailed | PartRecovered], None],
        report: Report,
        beat: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        host: Callable[[], HostReadings] | None = None,
        utc_now: Callable[[], datetime] = telemetry.utc_now,
        needs_subscriber: bool = True,
        authority: AuthorityDesk | None = None,
    ) -> None:
        self._settings = settings
        self._topics = Topics(settings.topic_prefix, site, terminal_id)
        self._snapshot = snapshot
        self._report = report
        self._beat = beat
        self._clock = clock
        self._host = host or HostHealth(disk=Path("/")).read
        self._utc_now = utc_now
        self._troubles = Troubles(post, report)
        self._authority = authority
        self._may_ask = False
        self._link = BrokerLink(
            settings,
            client_id(site, terminal_id),
            will=lambda: telemetry.status_message(self._topics, self._snapshot(), "offline", None),
            will_delay_s=min(settings.keepalive_s, _WILL_DELAY_MAX_S),
        )
        self._courier = Courier(Backoff(settings.backoff_min_s, settings.backoff_max_s, rng), needs_subscriber)
        self._link_backoff = Backoff(settings.backoff_min_s, settings.backoff_max_s, rng)
        self._outbox = OutboxAccess(
            outbox_factory, Backoff(settings.backoff_min_s, settings.backoff_max_s, rng), self._troubles
        )
        self._worker_backoff = Backoff(settings.backoff_min_s, settings.backoff_max_s, rng)
        self._look_due_s = 0.0
        self._connect_due_s = 0.0
        self._heartbeat_due_s = 0.0
        self._opened_s: float | None = None
        self._window = 0
        self._answer_within_s = max(30.0, 2.0 * settings.keepalive_s)
        self._connections = 0
        self._cut_short = 0
        self._status_mid: int | None = None
        self._status_answered = False
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._stop_within_s = 0.0
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    @property
    def connected(self) -> bool:
        """The broker has accepted this terminal. From any thread."""
        return self._connected.is_set()

    @property
    def alive(self) -> bool:
        """The thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def wake(self) -> None:
        """A record was committed: look now. From any thread; never blocks."""
        self._woken.set()
        self._link.wake()

    def ask(self, ask: AskAuthority) -> None:
        """Ask the centre, if it can be asked; the answer is posted, if one comes. From any thread; never blocks."""
        if self._authority is not None:
            self._authority.ask(ask)
            self._link.wake()

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Ask it to send what can be sent, say "stopped", disconnect and end within within_s; returns at once."""
        self._stop_within_s = within_s
        self._stopping.set()
        self.wake()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it ended in time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._guarded_turn()
        try:
            self._finish()
        except Exception as error:  # noqa: BLE001 - the process is ending; tell it and end
            self._report("uplink_stop_failed", problem=_name(error))
        self._connected.clear()
        self._outbox.close()
        self._link.dispose()

    def _guarded_turn(self) -> None:
        """One turn that survives anything: a bug here must cost the link for a while, not the terminal."""
        self._beat()
        try:
            self._turn(_TICK_S)
        except Exception as error:  # noqa: BLE001
            self._troubles.tell("worker", f"the uplink stumbled over {_name(error)}; it starts again by itself")
            self._link.drop()
            self._lost()
            self._connect_due_s = self._clock() + self._worker_backoff.next_s()

    def _turn(self, timeout_s: float) -> None:
        now_s = self._clock()
        if not self._link.active and now_s >= self._connect_due_s and not self._stopping.is_set():
            self._link.open()
        for event in self._link.poll(self._wait_s(timeout_s)):
            self._take(event)
        self._carry()
        if self._authority is not None:
            self._authority.turn(self._link.publish if self._may_ask and self._status_answered else None)
        if self.connected and self._clock() >= self._heartbeat_due_s and not self._stopping.is_set():
            self._heartbeat()

    def _wait_s(self, at_most_s: float) -> float:
        """Until something is due. An injected clock may leap, so a tick is the longest wait, and `wake` ends it."""
        now_s = self._clock()
        due_s = [self._look_due_s]
        held_until_s = self._courier.held_until_s
        if held_until_s is not None and held_until_s > now_s:
            due_s.append(held_until_s)
        if self._stopping.is_set():
            return at_most_s
        settle_s = self._authority.due_s() if self._authority is not None else None
        if settle_s is not None:
            due_s.append(settle_s)
        if self.connected:
            due_s.append(self._heartbeat_due_s)
        elif not self._link.active:
            due_s.append(self._connect_due_s)
        return max(0.0, min([at_most_s, *(due - now_s for due in due_s)]))

    def _take(self, event: LinkEvent) -> None:
        if isinstance(event, Opened):
            self._opened(event)
        elif isinstance(event, Answered):
            self._answered(event)
        elif isinstance(event, Received):
            if self._authority is not None:
                self._authority.take(event.topic, event.payload)
        elif isinstance(event, Subscribed):
            self._subscribed(event)
        else:
            self._ended(event)

    def _opened(self, event: Opened) -> None:
        if event.qos_max < 1:
            self._link.close()
            self._ended(Closed("the broker takes QoS 0 only, and records need QoS 1; raise its maximum QoS"))
            return
        self._opened_s = self._clock()
        self._connections += 1
        # One message less for the records, so that a request to the centre never exceeds what the broker takes.
        self._may_ask = self._authority is not None and event.receive_maximum > 1
        self._window = min(self._settings.inflight_max, event.receive_maximum - self._may_ask)
        self._connected.set()
        self._heartbeat_due_s = self._opened_s
        self._troubles.clear("link")
        self._report(
            "uplink_connected",
            host=self._settings.host,
            port=self._settings.port,
            session_present=event.session_present,
        )
        self._say("online")
        if self._authority is not None:
            self._link.subscribe(self._authority.subscriptions)

    def _subscribed(self, event: Subscribed) -> None:
        if event.problem:
            self._troubles.tell("subscription", f"the broker refuses the centre's answers: {event.problem}")
        else:
            self._troubles.clear("subscription")

    def _say(self, state: telemetry.State) -> None:
        message = telemetry.status_message(self._topics, self._snapshot(), state, self._utc_now())
        self._status_answered = False
        self._status_mid = self._link.publish(message)

    def _answered(self, event: Answered) -> None:
        if event.mid == self._status_mid:
            self._status_mid = None
            self._status_answered = True
            # Only now: birth and records together could exceed the broker's receive maximum.
            self._courier.link_opened(self._window)
            self._woken.set()
            if event.code >= FIRST_FAILURE:
                self._troubles.tell("status", f"the broker refuses status: {answer_words(event.code, event.words)}")
            else:
                self._troubles.clear("status")
            return
        if self._authority is not None and self._authority.acknowledged(event.mid):
            if event.code >= FIRST_FAILURE:
                self._report("request_refused", problem=answer_words(event.code, event.words))
            return
        accepted = self._courier.answered(event.mid, event.code, self._clock())
        if accepted:
            self._troubles.clear("records")
        elif accepted is False and event.code == NO_MATCHING_SUBSCRIBERS:
            self._troubles.tell(
                "records", f"nobody at the broker subscribes to {self._topics.events}; records wait here for the centre"
            )
        elif accepted is False:
            self._troubles.tell("records", f"the broker refuses records: {answer_words(event.code, event.words)}")

    def _ended(self, event: Closed) -> None:
        now_s = self._clock()
        problem = event.problem
        if self._opened_s is not None and now_s - self._opened_s >= _STEADY_AFTER_S:
            self._link_backoff.reset()
            self._cut_short = 0
        elif self._opened_s is not None:
            self._cut_short += 1
            if self._cut_short >= _CUT_SHORT_TIMES:
                problem += "; no connection lasts: does another terminal (a copied card?) use the same site and id?"
        self._lost()
        self._connect_due_s = now_s + self._link_backoff.next_s()
        self._troubles.tell("link", problem)

    def _lost(self) -> None:
        self._opened_s = None
        self._connected.clear()
        self._status_mid = None
        self._status_answered = False
        self._courier.link_lost()
        self._may_ask = False
        if self._authority is not None:
            self._authority.link_lost()

    def _carry(self) -> None:
        now_s = self._clock()
        since_s = self._courier.unanswered_since_s()
        if since_s is not None and now_s - since_s > self._answer_within_s:
            self._link.drop()
            self._ended(Closed("the broker stopped acknowledging records; connecting anew"))
        if self._woken.is_set() or not self._courier.idle or now_s >= self._look_due_s:
            self._woken.clear()
            self._look_due_s = now_s + _LOOK_AGAIN_S
            self._outbox.use(lambda outbox: self._courier.pump(outbox, self._send, now_s), now_s)
            if self._troubles.get("outbox"):
                self._look_due_s = self._outbox.due_s

    def _send(self, row: OutboxRow) -> int | None:
        return self._link.publish(event_message(self._topics, row))

    def _heartbeat(self) -> None:
        now_s, snapshot, at = self._clock(), self._snapshot(), self._utc_now()
        self._heartbeat_due_s = now_s + self._settings.heartbeat_s
        waiting = self._outbox.use(lambda outbox: (outbox.depth(), outbox.oldest(1)), now_s)
        depth, rows = waiting if waiting is not None else (None, ())
        problem = self._troubles.get("records") or self._troubles.get("outbox")
        message = telemetry.telemetry_message(
            self._topics,
            snapshot,
            at,
            host=self._host(),
            queue=QueueReadings(
                depth=depth, oldest_age_s=telemetry.age_s(rows[0] if rows else None, at, snapshot.clock_trusted)
            ),
            link=LinkReadings(
                connected_s=round(now_s - (self._opened_s or now_s), 1),
                connections=self._connections,
                problem=telemetry.cut(problem) if problem else None,
            ),
        )
        self._link.publish(message)
        self._worker_backoff.reset()
        self._troubles.clear("worker")

    def _finish(self) -> None:
        """Flush, say "stopped", disconnect. By the real clock, whatever was injected: somebody waits in `stop`."""
        begun_s = time.monotonic()
        flush_until_s = begun_s + 0.5 * self._stop_within_s
        end_s = begun_s + 0.8 * self._stop_within_s
        while self.connected and time.monotonic() < flush_until_s and not self._flushed():
            self._beat()
            self._turn(0.1)
        self._courier.wind_down()
        # One after the other, as at birth: together they could exceed the broker's receive maximum.
        while self.connected and time.monotonic() < flush_until_s and self._courier.unanswered_since_s() is not None:
            self._beat()
            self._turn(0.1)
        if self.connected:
            self._say("stopped")
        while self.connected and time.monotonic() < end_s and not self._status_answered:
            self._beat()
            self._turn(0.1)
        self._link.close()
        left = self._outbox.use(lambda outbox: outbox.depth(), self._clock())
        self._report("uplink_stopped", records_left=left)

    def _flushed(self) -> bool:
        if self._courier.held_until_s is not None or self._troubles.get("outbox"):
            return True
        return self._courier.idle and not self._outbox.use(lambda outbox: outbox.depth(), self._clock())


def _name(error: Exception) -> str:
    """Type and place, not the text: an unforeseen text could hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return type(error).__name__ + where
