"""The load generator tells what it got, and what it did not."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import compiled as compiling
from benchmarks.compiled import NoCompiler, compiled
from benchmarks.load import Load, LoadFailed, Protocol, load
from benchmarks.peers import LIMIT
from tests.benchmarks.servers import (
    WELCOMES,
    Frame,
    Replay,
    numbered_sse_frame,
    odd_server,
    sse_frame,
    websocket_frame,
)
from tests.support.processes import listening

CLIENTS = 4
SHORTLY = "closed,window=4,seconds=0.1"
PACED = "open,rate=200,seconds=0.1"  # 20 events


@pytest.mark.parametrize("protocol", ["sse", "websocket"])
def test_it_measures_the_limit(protocol: Protocol, tmp_path: Path) -> None:
    bursts = "closed,window=16,batch=8,seconds=0.1"
    program = compiled("limit", [LIMIT])
    with listening(lambda port: [program, str(port)], ready="Listening", log=tmp_path / "log") as (
        port,
        process,
    ):
        plan = Load(
            ports=[port],
            protocol=protocol,
            clients=20,
            sources=3,
            pids=[process.pid],
            settle=0.05,
            stages=[SHORTLY, "open,share=0.5,seconds=0.1", bursts],
        )
        report = load(plan)
    assert report.faults() == {}
    assert report.deliveries == 20 * report.published
    assert [stage.kind for stage in report.stages] == ["warm-up", "closed", "open", "closed"]
    assert report.stages[1].frame_bytes == report.stages[3].frame_bytes == 250
    assert report.stages[2].rate == pytest.approx(
        report.stages[1].published / report.stages[1].seconds / 2, rel=0.01
    )
    assert report.stages[3].published % 8 == 0
    assert report.rss_connected_mb > 0


def test_it_counts_what_is_lost() -> None:
    lost = {(0, 3), (2, 3), (2, 4), (3, 19)}  # the last one has no successor to show the gap
    with odd_server(lambda who, event, frame: [] if (who, event) in lost else [frame]) as port:
        report = load(_plan(port))
    assert report.faults() == {"missing": len(lost)}
    assert report.deliveries == CLIENTS * 20 - len(lost)


def test_it_goes_on_behind_a_loss_in_a_closed_loop() -> None:
    with odd_server(lambda who, event, frame: [frame] if who or event else []) as port:
        report = load(_plan(port, "closed,window=1,seconds=0.6"))
    assert report.faults() == {"missing": 1, "stalls": 1}


def test_it_counts_what_comes_twice() -> None:
    with odd_server(lambda who, event, frame: [frame] * (3 if who == event == 1 else 1)) as port:
        report = load(_plan(port))
    assert report.faults() == {"doubled": 2}
    assert report.deliveries == CLIENTS * 20


def test_it_counts_what_comes_in_another_order() -> None:
    kept: list[bytes] = []

    def swap(who: int, event: int, frame: bytes) -> list[bytes]:
        if who != 1 or event not in (5, 6):
            return [frame]
        kept.insert(0, frame)
        return kept if event == 6 else []

    with odd_server(swap) as port:
        report = load(_plan(port))
    assert report.faults() == {"reordered": 1}
    assert report.deliveries == CLIENTS * 20


@pytest.mark.parametrize(
    ("replay", "faults"),
    [
        (list, {}),
        (lambda missed: [*missed[:2], *missed[3:]], {"missing": 2}),
        (lambda missed: [*missed[:3], *missed[2:]], {"doubled": 2}),
    ],
    ids=["good", "skips", "doubles"],
)
def test_it_counts_what_a_replay_skips_and_doubles(replay: Replay, faults: dict[str, int]) -> None:
    storm = "storm,rate=200,seconds=0.3,after=0.1,drop=2,away=10"
    with odd_server(frame=numbered_sse_frame, replay=replay) as port:
        report = load(_plan(port, storm))
    told = report.stages[0].storm
    assert told is not None
    assert told.caught_up_ms.count == 2
    assert report.faults() == faults


def test_it_counts_what_is_another_ones() -> None:
    audiences = [("everybody", "*"), ("first", "0"), ("nobody", "-")]
    hearers: list[int] = []

    def leak(who: int, event: int, frame: bytes) -> list[bytes]:
        everybody, leaks = event % 3 == 0, (who, event) == (3, 4)
        if event == 1 and not hearers:
            hearers.append(who)
        return [frame] if everybody or leaks or (event % 3 == 1 and who == 0) else []

    with odd_server(leak) as port:
        plan = Load(
            ports=[port],
            clients=CLIENTS,
            inflight=1,  # so that the server's order is the generator's
            warm_up=0,
            tokens=[str(number) for number in range(CLIENTS)],
            audiences=audiences,
            stages=[PACED],
        )
        report = load(plan)
    assert report.faults() == {"foreign": 1}
    assert report.deliveries == CLIENTS * 7 + 7  # of 20 events


def test_it_pads_frames_alike_whatever_else_comes_meanwhile() -> None:
    heartbeat = b": still here" + b" " * 500 + b"\n\n"
    with odd_server(lambda _, event, frame: [frame, heartbeat][: 1 + (event % 4 == 2)]) as port:
        report = load(replace(_plan(port), warm_up=8))
    assert report.faults() == {}
    assert report.other_messages == CLIENTS * 7
    assert report.stages[1].frame_bytes == pytest.approx(250, abs=3)


@pytest.mark.parametrize("piece", [1, 7])
def test_it_reads_frames_that_are_cut_anywhere(piece: int) -> None:
    with odd_server(piece=piece) as port:
        report = load(_plan(port))
    assert report.faults() == {}
    assert report.deliveries == CLIENTS * 20


def test_it_reads_fragments_pings_and_pieces_of_a_websocket() -> None:
    def in_fragments(line: bytes) -> bytes:
        frames = [
            websocket_frame(line[:9], final=False),
            websocket_frame(b"still there?", opcode=9),
            websocket_frame(line[9:], opcode=0),
        ]
        return b"".join(frames)

    with odd_server(frame=in_fragments, welcome=WELCOMES["websocket"], piece=5) as port:
        report = load(_plan(port, protocol="websocket"))
    assert report.faults() == {}
    assert report.deliveries == CLIENTS * 20


@pytest.mark.parametrize("protocol", ["sse", "websocket"])
def test_it_reads_huge_frames(protocol: Protocol) -> None:
    pad = b',"more":"' + b"x" * 1_000_000 + b'"}'
    make: Frame = sse_frame if protocol == "sse" else websocket_frame
    with odd_server(frame=lambda line: make(line[:-1] + pad), welcome=WELCOMES[protocol]) as port:
        report = load(_plan(port, "open,rate=100,seconds=0.05", protocol=protocol))
    assert report.faults() == {}
    assert report.stages[0].frame_bytes > 1_000_000


@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"503 Service Unavailable"])
def test_it_tells_of_refusals(status: bytes) -> None:
    refusal = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    with odd_server(welcome=refusal) as port:
        report = load(_plan(port))
    assert report.refused == {status[:3].decode(): CLIENTS}
    assert report.sample.startswith(f"HTTP/1.1 {status.decode()}")
    assert report.faults() == {"not connected": CLIENTS}


def test_it_tells_of_a_server_that_dies() -> None:
    with odd_server(dies_at=11) as port:
        report = load(_plan(port))
    assert report.closed_early == CLIENTS
    assert report.listening == 0
    assert report.deliveries == CLIENTS * 10
    assert report.missing == CLIENTS * (report.published - 10)


def test_it_publishes_on_no_connection_that_has_rested() -> None:
    with odd_server(rest=1.5) as port:
        plan = Load(ports=[port], clients=CLIENTS, warm_up=0, settle=2.1, stages=[PACED])
        report = load(plan)
    assert report.faults() == {}


def test_it_waits_for_no_answer_that_never_comes() -> None:
    with odd_server(mute=True) as port:
        report = load(_plan(port, "closed,window=4,seconds=30"))
    assert report.publisher_lost
    assert report.faults() == {"publish errors": 1}
    assert report.deliveries == CLIENTS


def test_it_tells_of_a_server_that_is_not_there() -> None:
    with odd_server() as port:
        pass
    report = load(_plan(port))
    assert report.unreachable == CLIENTS
    assert report.faults()["not connected"] == CLIENTS


@pytest.mark.parametrize(
    ("stage", "refusal"),
    [
        ("sideways,seconds=1", "no such kind of stage"),
        ("", "no such kind of stage"),
        ("open,speed=1", "no such setting"),
        ("open,share=0.5", "no closed stage"),
        ("storm,rate=10,seconds=2,drop=2", "more clients drop"),
        ("storm,rate=10,seconds=2,drop=1,away=50", "shorter than"),
    ],
)
def test_it_refuses_what_makes_no_sense(stage: str, refusal: str) -> None:
    with pytest.raises(LoadFailed, match=refusal):
        load(Load(ports=[1], clients=1, stages=[stage]))


def test_it_says_that_there_is_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiling, "BUILD", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompiler, match="apt-get install gcc"):
        compiled("limit", [LIMIT])


def test_it_compiles_again_what_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiling, "BUILD", tmp_path / "build")
    source = tmp_path / "nothing.c"
    source.write_text("int main(void) { return 0; }")
    first = compiled("nothing", [source])
    assert compiled("nothing", [source]) == first
    source.write_text("int main(void) { return 1; }")
    second = compiled("nothing", [source])
    assert second != first
    assert list(compiling.BUILD.iterdir()) == [second]
    monkeypatch.setattr(compiling, "OPTIONS", ("-O1",))
    assert compiled("nothing", [source]) != second
    source.write_text("int main(void) {")
    with pytest.raises(NoCompiler, match="could not be compiled"):
        compiled("nothing", [source])


def _plan(port: int, stage: str = PACED, protocol: Protocol = "sse") -> Load:
    return Load(
        ports=[port],
        clients=CLIENTS,
        protocol=protocol,
        warm_up=0,
        settle=0.05,
        patience=0.5,
        stages=[stage],
    )
