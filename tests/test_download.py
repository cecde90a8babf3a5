"""Fetching against a web server on this machine: mirrors, going on, hashes, full disks, kills, hostile archives.

Nothing here reaches the internet. An archive that is fetched in pieces of 64 KiB is 0.7 MB.
"""

import dataclasses
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from made_up_cifar10 import FOLDER, NAMES, batches, describe, packed_python, python_files, tar_gz, write_binary
from mirror import Mirror, running

from vqlab import LabError, data
from vqlab.data.archives import ARCHIVES, Archive, unpack
from vqlab.data.download import download_cifar10, fetch

PIECE = 1 << 16
CONTENT = packed_python()
NAME = "cifar-10-python.tar.gz"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with running() as server:
        yield server


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "data"


def is_complete(folder: Path) -> bool:
    """Whether all that was packed is there, and nothing else is."""
    made = batches(40)
    for split, names in data.CIFAR10_SPLITS.items():
        read = data.cifar10(split, folder)
        assert np.array_equal(read.x.reshape(-1, 3072), np.concatenate([made[name][0] for name in names]))
    assert sorted(path.name for path in (folder / FOLDER).iterdir()) == sorted([*NAMES, "batches.meta"])
    return [path.name for path in folder.iterdir()] == [FOLDER]


def reads_as_incomplete(folder: Path) -> bool:
    with pytest.raises(LabError):
        data.cifar10("test", folder)
    return True


def test_a_download_is_verified_unpacked_and_tidied_up(mirror, folder, capsys):
    archive = describe(CONTENT, mirror.serve("/a", CONTENT))
    assert download_cifar10(folder, archive) == folder
    assert is_complete(folder)
    (request,) = mirror.requests
    assert request.sent == len(CONTENT)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "127.0.0.1" in shown.err
    assert "100%" in shown.err


def test_a_copy_that_is_there_is_not_fetched_again(mirror, folder, tmp_path):
    archive = describe(CONTENT, mirror.serve("/a", CONTENT))
    download_cifar10(folder, archive)
    download_cifar10(folder, archive)
    assert len(mirror.requests) == 1
    download_cifar10(write_binary(tmp_path / "binary"), archive)  # the other layout is as good
    assert len(mirror.requests) == 1


def test_a_copy_that_lacks_something_is_made_whole(mirror, folder):
    archive = describe(CONTENT, mirror.serve("/a", CONTENT))
    download_cifar10(folder, archive)
    (folder / FOLDER / "data_batch_2").unlink()
    os.truncate(folder / FOLDER / "test_batch", 1000)
    download_cifar10(folder, archive)
    assert is_complete(folder)


def test_the_folder_is_the_one_where_it_is_looked_for(mirror, folder, no_cifar10, monkeypatch):
    monkeypatch.setattr("vqlab.data.download.cache_folder", lambda: no_cifar10)
    archive = describe(CONTENT, mirror.serve("/a", CONTENT))
    assert download_cifar10(archive=archive) == no_cifar10
    assert len(data.cifar10("test").x) == 40
    monkeypatch.setenv("VQLAB_DATA", str(folder))
    assert download_cifar10(archive=archive) == folder
    assert len(mirror.requests) == 2


def test_the_real_archive_is_described_as_published():
    archive = ARCHIVES["cifar10"]
    assert re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
    assert len({url.split("/")[2] for url in archive.mirrors}) == len(archive.mirrors) >= 2
    assert all(url.startswith("https://") and url.endswith(archive.name) for url in archive.mirrors)
    assert "cs.toronto.edu" in archive.mirrors[-1]  # the slow one
    assert archive.unpacked > 60_000 * 3073


# --- Mirrors -------------------------------------------------------------------------------------------------


def dead(mirror: Mirror) -> str:
    return "http://127.0.0.1:1/a"


def gone(mirror: Mirror) -> str:
    return mirror.serve("/gone", b"not found", status=404)


def busy(mirror: Mirror) -> str:
    return mirror.serve("/busy", b"later", status=503)


def another(mirror: Mirror) -> str:
    return mirror.serve("/another", b"<html>down for maintenance</html>")


def unsized(mirror: Mirror) -> str:
    return mirror.serve("/unsized", b"<html>down for maintenance</html>", length=False)


def edited(mirror: Mirror) -> str:
    return mirror.serve("/edited", CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))


def longer(mirror: Mirror) -> str:
    return mirror.serve("/longer", b"0" * 2 * len(CONTENT), length=False)


def silent(mirror: Mirror) -> str:
    return mirror.serve("/silent", CONTENT, holds=100)


REASONS = {
    dead: "no connection",
    gone: "answer 404",
    busy: "answer 503",
    another: "another file of 33 bytes",
    unsized: "too few bytes",
    edited: "wrong SHA-256",
    longer: "wrong SHA-256",
    silent: "no connection",
}


@pytest.mark.parametrize("bad", REASONS, ids=lambda bad: bad.__name__)
def test_a_bad_first_mirror_is_named_and_the_next_one_used(bad, mirror, folder, capsys):
    archive = describe(CONTENT, bad(mirror), mirror.serve("/good", CONTENT))
    download_cifar10(folder, archive, timeout=1)
    assert is_complete(folder)
    said = [line for line in capsys.readouterr().err.splitlines() if "trying the next mirror" in line]
    assert len(said) == 1
    assert REASONS[bad] in said[0]
    assert sum(request.sent for request in mirror.of("/good")) <= 2 * len(CONTENT)


def test_when_all_mirrors_are_bad_each_is_named_in_one_sentence(mirror, folder, refuses):
    archive = describe(CONTENT, *(bad(mirror) for bad in (dead, gone, edited)))
    with refuses(f"no mirror gave {NAME} (127.0.0.1:1: no connection"):
        download_cifar10(folder, archive)
    with pytest.raises(LabError, match=r"answer 404; \S+: wrong SHA-256\)"):
        download_cifar10(folder, archive)
    assert reads_as_incomplete(folder)


def test_a_redirection_is_followed_with_the_range(mirror, folder):
    address = mirror.serve("/good", CONTENT)
    archive = describe(CONTENT, mirror.serve("/moved", b"", status=302, headers={"Location": address}))
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(CONTENT[:PIECE])
    download_cifar10(folder, archive)
    assert is_complete(folder)
    assert mirror.of("/good")[0].range == f"bytes={PIECE}-"


def test_a_server_that_calls_the_archive_compressed_does_not_get_it_unpacked_on_the_way(mirror, folder):
    address = mirror.serve("/a", CONTENT, headers={"Content-Encoding": "gzip"})
    download_cifar10(folder, describe(CONTENT, address))
    assert is_complete(folder)


def test_what_a_server_sends_after_the_end_is_not_kept(mirror, folder):
    address = mirror.serve("/a", CONTENT + b"0" * 50_000_000, length=False)
    download_cifar10(folder, describe(CONTENT, address))
    assert is_complete(folder)
    (request,) = mirror.requests
    assert request.sent == 0  # the connection was closed before all of it was sent


def test_an_archive_that_somebody_put_there_is_used(mirror, folder):
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    download_cifar10(folder, describe(CONTENT, mirror.serve("/a", CONTENT)))
    assert mirror.requests == []
    assert is_complete(folder)


def test_a_wrong_archive_that_somebody_put_there_is_said_and_replaced(mirror, folder, capsys):
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT[:-9])
    download_cifar10(folder, describe(CONTENT, mirror.serve("/a", CONTENT)))
    assert is_complete(folder)
    assert f"{NAME} has the wrong SHA-256 and is fetched anew" in capsys.readouterr().err


# --- Going on ------------------------------------------------------------------------------------------------


def test_a_connection_that_breaks_is_taken_up_where_it_broke(mirror, folder):
    address = mirror.serve("/a", CONTENT, breaks=[3 * PIECE + 10, 2 * PIECE])
    download_cifar10(folder, describe(CONTENT, address))
    assert is_complete(folder)
    assert [request.range for request in mirror.requests] == ["bytes=0-", f"bytes={3 * PIECE}-", f"bytes={5 * PIECE}-"]
    assert sum(request.sent for request in mirror.requests) < len(CONTENT) + 2 * PIECE


def test_the_next_mirror_goes_on_where_the_first_stopped(mirror, folder):
    first = mirror.serve("/first", CONTENT, breaks=[2 * PIECE, 0])
    download_cifar10(folder, describe(CONTENT, first, mirror.serve("/second", CONTENT)))
    assert is_complete(folder)
    (request,) = mirror.of("/second")
    assert (request.range, request.sent) == (f"bytes={2 * PIECE}-", len(CONTENT) - 2 * PIECE)


def test_a_server_that_ignores_the_range_costs_time_but_nothing_that_is_there(mirror, folder):
    part = folder / f"{NAME}.part"
    folder.mkdir()
    part.write_bytes(CONTENT[: 5 * PIECE])
    archive = describe(CONTENT, mirror.serve("/a", CONTENT, ranges=False, breaks=[3 * PIECE + 5]))
    with pytest.raises(LabError, match="no mirror"):
        fetch(archive, folder)
    assert part.read_bytes() == CONTENT[: 5 * PIECE]  # it broke off before there was anything new
    download_cifar10(folder, archive)
    assert is_complete(folder)


@pytest.mark.parametrize("ranges", [True, False])
def test_bytes_of_a_bad_mirror_are_thrown_away_before_a_good_one_is_blamed(ranges, mirror, folder):
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes(b"0" * 2 * PIECE)
    download_cifar10(folder, describe(CONTENT, mirror.serve("/a", CONTENT, ranges=ranges)))
    assert is_complete(folder)
    assert [request.range for request in mirror.requests] == [f"bytes={2 * PIECE}-", "bytes=0-"]


@pytest.mark.parametrize("bytes_there", [len(CONTENT), len(CONTENT) + 5])
def test_a_part_that_is_whole_or_too_long_is_judged_by_its_hash(bytes_there, mirror, folder):
    folder.mkdir()
    (folder / f"{NAME}.part").write_bytes((CONTENT + b"12345")[:bytes_there])
    download_cifar10(folder, describe(CONTENT, mirror.serve("/a", CONTENT)))
    assert is_complete(folder)
    assert len(mirror.requests) == (0 if bytes_there == len(CONTENT) else 1)


def test_a_mirror_that_breaks_off_for_ever_is_given_up(mirror, folder, refuses):
    with refuses("no mirror gave"):
        fetch(describe(CONTENT, mirror.serve("/a", CONTENT, breaks=[PIECE, *[0] * 999])), folder)
    assert len(mirror.requests) == 2
    assert (folder / f"{NAME}.part").stat().st_size == PIECE


# --- The command: stopped, killed, no room -------------------------------------------------------------------

COMMAND = """
import json, sys
from vqlab.__main__ import main
from vqlab.data.archives import ARCHIVES, Archive
ARCHIVES["cifar10"] = Archive(**json.loads(sys.argv[1]))
sys.exit(main(["download", "cifar10", *sys.argv[2:]]))
"""


def command(archive: Archive, folder: Path, limit: int | None = None) -> subprocess.Popen:
    """`python -m vqlab download cifar10 --folder …` of this archive; limit: the most bytes that a file may get."""

    def before() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    arguments = [sys.executable, "-c", COMMAND, json.dumps(dataclasses.asdict(archive)), "--folder", str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(arguments, **pipes, preexec_fn=before)


def ended(process: subprocess.Popen, status: int) -> tuple[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == status, err
    assert "Traceback" not in err
    return out, err


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(2400):  # two minutes, for this machine may be busy
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it never came to that")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_or_killed_in_the_middle_the_same_command_goes_on(how, mirror, folder):
    address = mirror.serve("/a", CONTENT, holds=4 * PIECE)
    archive, part = describe(CONTENT, address), folder / f"{NAME}.part"
    process = command(archive, folder)
    wait_until(lambda: part.exists() and part.stat().st_size == 4 * PIECE)
    process.send_signal(how)
    _, err = ended(process, 130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert err.splitlines()[-1].startswith("Stopped; what has arrived is kept, so the same command goes on")
    assert [path.name for path in folder.iterdir()] == [part.name]
    assert reads_as_incomplete(folder)

    mirror.pages["/a"].holds = None
    mirror.release.set()
    out, err = ended(command(archive, folder), 0)
    assert out == f"CIFAR-10 is in {folder}; set VQLAB_DATA={folder}, so that it is found there\n"
    assert is_complete(folder)
    second = mirror.requests[1]
    assert (second.range, second.sent) == (f"bytes={4 * PIECE}-", len(CONTENT) - 4 * PIECE)


@pytest.mark.parametrize("delay", [0, 0.05])
def test_killed_while_unpacking_nothing_reads_as_a_data_set_and_nothing_is_fetched_again(delay, mirror, folder):
    content = packed_python(n=1500)  # 28 MB, so that unpacking takes a while
    folder.mkdir()
    (folder / NAME).write_bytes(content)
    archive = describe(content, mirror.serve("/a", content), unpacked=10**8)
    process = command(archive, folder)
    wait_until(lambda: (folder / f"{FOLDER}.part").exists())
    time.sleep(delay)
    process.kill()
    process.communicate(timeout=120)
    if not all((folder / FOLDER / name).exists() for name in NAMES):  # else it was faster than the kill
        assert reads_as_incomplete(folder)
    ended(command(archive, folder), 0)
    assert len(data.cifar10("train", folder).x) == 5 * 1500
    assert [path.name for path in folder.iterdir()] == [FOLDER]
    assert mirror.requests == []


def test_killed_between_two_files_that_are_moved_the_same_command_ends_it(mirror, folder):
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "data_batch_1").write_bytes(python_files(40)["data_batch_1"])
    assert reads_as_incomplete(folder)
    download_cifar10(folder, describe(CONTENT, mirror.serve("/a", CONTENT)))
    assert is_complete(folder)


def test_a_disk_that_is_full_while_fetching_is_one_sentence_and_loses_nothing(mirror, folder):
    archive = describe(CONTENT, mirror.serve("/a", CONTENT))
    limit = 2 * PIECE + 77
    out, err = ended(command(archive, folder, limit), 1)
    assert out == ""
    said = err.splitlines()[-1]
    assert re.fullmatch(r"vqlab: \S+\.part cannot be written \(.+\): what has arrived is kept, so make room .+", said)
    assert (folder / f"{NAME}.part").read_bytes() == CONTENT[:limit]
    ended(command(archive, folder), 0)
    assert is_complete(folder)
    assert mirror.requests[1].range == f"bytes={limit}-"


def test_a_disk_that_is_full_while_unpacking_keeps_the_archive(mirror, folder):
    zeros = {name: b"\0" * 1_000_000 for name in (*NAMES, "batches.meta")}  # small when packed
    content = tar_gz({f"{FOLDER}/{name}": batch for name, batch in zeros.items()})
    archive = describe(content, mirror.serve("/a", content))
    _, err = ended(command(archive, folder, limit=500_000), 1)
    said = err.splitlines()[-1]
    assert re.fullmatch(rf"vqlab: {NAME} could not be unpacked .+: the archive is kept, so make room .+", said)
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_too_little_room_is_said_before_anything_is_fetched(mirror, folder, refuses):
    archive = describe(CONTENT, mirror.serve("/a", CONTENT), unpacked=10**15)
    with refuses("MB are free: make room, or choose another folder with --folder"):
        fetch(archive, folder)
    assert mirror.requests == []


def test_a_folder_that_cannot_be_made_is_one_sentence(mirror, tmp_path, refuses):
    (tmp_path / "file").write_text("in the way")
    with refuses("cannot be written"):
        download_cifar10(tmp_path / "file" / "below", describe(CONTENT, mirror.serve("/a", CONTENT)))


# --- Hostile and broken archives -----------------------------------------------------------------------------


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def unpacked(folder: Path, content: bytes, **other: object) -> Path:
    folder.mkdir(exist_ok=True)
    packed = folder / NAME
    packed.write_bytes(content)
    unpack(describe(content, **other), packed, folder, check=lambda folder: None)
    return folder


def test_what_is_not_expected_in_an_archive_is_not_unpacked(folder, tmp_path):
    good = {f"{FOLDER}/{name}": content for name, content in python_files(3).items()}
    odd = [
        member("../escaped"),
        member(f"{FOLDER}/../../escaped"),
        member(str(tmp_path / "escaped")),
        member(f"{FOLDER}/link", tarfile.SYMTYPE, str(tmp_path)),
        member(f"{FOLDER}/link/escaped"),
        member(f"{FOLDER}/hard", tarfile.LNKTYPE, "../../escaped"),
        member(f"{FOLDER}/device", tarfile.CHRTYPE),
        member(f"{FOLDER}/pipe", tarfile.FIFOTYPE),
        member("other/data_batch_1"),
        member("data_batch_1"),
    ]
    unpacked(folder, tar_gz(good, odd))
    assert sorted(path.name for path in (folder / FOLDER).iterdir()) == sorted([*NAMES, "batches.meta"])
    assert sorted(path.name for path in folder.iterdir()) == [FOLDER, NAME]
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert len(data.cifar10("train", folder).x) == 15


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_member_that_is_no_regular_file_is_refused(kind, folder, refuses):
    good = {f"{FOLDER}/{name}": content for name, content in python_files(3).items()}
    with refuses("data_batch_2 in it is no regular file"):
        unpacked(folder, tar_gz(good, [member(f"{FOLDER}/data_batch_2", kind, "/etc/passwd")]))
    assert not (folder / FOLDER).exists()
    assert not (folder / f"{FOLDER}.part").exists()


def test_missing_members_and_too_large_ones_are_refused(folder, refuses):
    good = {f"{FOLDER}/{name}": content for name, content in python_files(3).items()}
    with refuses("too large"):
        unpacked(folder, tar_gz(good), unpacked=30_000)
    del good[f"{FOLDER}/test_batch"], good[f"{FOLDER}/data_batch_4"]
    with refuses("data_batch_4, test_batch is not in it"):
        unpacked(folder, tar_gz(good))
    assert not (folder / FOLDER).exists()


@pytest.mark.parametrize("content", [b"", b"no archive", CONTENT[:-30], CONTENT[: len(CONTENT) // 2]])
def test_what_is_no_archive_is_refused(content, folder, refuses):
    with refuses("cannot be unpacked"):
        unpacked(folder, content)
    assert reads_as_incomplete(folder)


def test_an_archive_of_bad_batches_is_refused_before_it_gets_its_place(mirror, folder, refuses):
    bad = {f"{FOLDER}/{name}": content for name, content in python_files(3).items()}
    bad[f"{FOLDER}/data_batch_5"] = b"cos\nsystem\n(S'true'\ntR."
    content = tar_gz(bad)
    with refuses("it wants to run os.system"):
        download_cifar10(folder, describe(content, mirror.serve("/a", content)))
    assert not (folder / FOLDER).exists()
