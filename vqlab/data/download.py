"""Fetch a data set once: from the first mirror that has it, going on where an interrupted download stopped."""

import os
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import pooch
from tqdm import tqdm

from vqlab import LabError
from vqlab.data.archives import ARCHIVES, Archive, unpack
from vqlab.data.cifar import CIFAR10_SPLITS, cache_folder, cifar10

if TYPE_CHECKING:
    from requests import Response

_ATTEMPTS = 100  # at one mirror, each of which brought some bytes before the connection broke


def download_cifar10(folder: Path | None = None, archive: Archive | None = None, timeout: float = 30) -> Path:
    """Have CIFAR-10 in `folder` (default: what VQLAB_DATA names, else the cache). Returns that folder.

    A readable copy there is left alone, in either layout. What goes on is told on stderr. Interrupted or killed, the
    next call goes on from there. timeout: seconds without a byte after which a mirror is given up.
    Raises: LabError if no mirror has the archive, or if it cannot be written or unpacked.
    """
    archive = archive or ARCHIVES["cifar10"]
    folder = Path(folder or os.environ.get("VQLAB_DATA") or cache_folder()).expanduser()
    try:
        _read_all(folder)
    except LabError:  # not there, or not all of it
        packed = fetch(archive, folder, timeout)
        _say(f"unpacking {packed.name}")
        unpack(archive, packed, folder, check=_read_all)
        packed.unlink()
    return folder


def fetch(archive: Archive, folder: Path, timeout: float = 30) -> Path:
    """The archive as a file in `folder`, its SHA-256 verified; fetched if it is not there yet.

    Bytes that arrived are kept in a file ending in .part and never asked for again, unless the hash is wrong.
    Raises: LabError if no mirror has it, or if it cannot be written.
    """
    packed, part = folder / archive.name, folder / f"{archive.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if packed.exists():
            if _is(archive, packed):
                return packed
            _say(f"{packed} has the wrong SHA-256 and is fetched anew")
        have = part.stat().st_size if part.exists() else 0
        needed, free = archive.size - have + archive.unpacked, shutil.disk_usage(folder).free
        if free < needed:
            raise LabError(
                f"{archive.name} needs {needed / 1e6:,.0f} MB in {folder} and {free / 1e6:,.0f} MB are free: make "
                "room, or choose another folder with --folder"
            )
        troubles = []
        for url in archive.mirrors:
            if (trouble := _from_mirror(url, archive, part, timeout)) is None:
                part.replace(packed)
                return packed
            troubles.append(f"{urlsplit(url).netloc}: {trouble}")
            _say(troubles[-1] + ("; trying the next mirror" if url != archive.mirrors[-1] else ""))
    except OSError as error:
        raise _cannot_write(part, error) from None
    raise LabError(
        f"no mirror gave {archive.name} ({'; '.join(troubles)}): look at your connection and give the same command "
        f"again, or put the file into {folder} yourself"
    )


def _from_mirror(url: str, archive: Archive, part: Path, timeout: float) -> str | None:
    """Complete `part` from one mirror. Returns None if its hash is right then, else what is wrong with the mirror."""
    part.touch()
    begun_elsewhere = part.stat().st_size > 0
    for _ in range(_ATTEMPTS):
        have = part.stat().st_size
        trouble = _append(url, archive.size, part, timeout) if have < archive.size else None
        grown = part.stat().st_size
        if grown >= archive.size:
            if _is(archive, part):
                return None
            part.write_bytes(b"")
            if not begun_elsewhere:
                return "wrong SHA-256"
            begun_elsewhere = False  # once more, all from this mirror
        elif grown == have:
            return trouble or "too few bytes"
    return "the connection broke off again and again"


def _append(url: str, size: int, part: Path, timeout: float) -> str | None:
    """Ask a server for what `part` lacks of `size` bytes and append it. Returns what went wrong, None if nothing."""
    with _Rest(part, size, urlsplit(url).netloc) as rest:
        headers = {"Range": f"bytes={rest.have}-", "Accept-Encoding": "identity"}
        download = pooch.HTTPDownloader(
            chunk_size=1 << 16, timeout=timeout, headers=headers, hooks={"response": rest.answered}
        )
        try:
            download(url, rest, None)
        except _AnotherFile as error:
            return str(error)
        except OSError as error:  # of the network: those of the disk are LabErrors by now
            response: Response | None = getattr(error, "response", None)
            return f"no connection ({type(error).__name__})" if response is None else f"answer {response.status_code}"
    return None


class _AnotherFile(OSError):
    """A server is about to send, or has sent, more or fewer bytes than the archive has."""


class _Rest:
    """What the downloader writes to: a file from its end on, at byte `have`, with a progress bar."""

    def __init__(self, part: Path, size: int, name: str) -> None:
        self.part, self.size, self.have = part, size, part.stat().st_size
        self._skip = 0
        # At its place, not appended: two downloads at once write the same bytes to the same places.
        self._file = open(part, "r+b", buffering=0)  # noqa: SIM115 (closed with the bar, in __exit__)
        self._file.seek(self.have)
        self._bar = tqdm(total=size, initial=self.have, unit="B", unit_scale=True, desc=name, file=sys.stderr)

    def answered(self, response: "Response", *_: object, **__: object) -> None:
        """Called with the head of each answer, redirections included."""
        if response.status_code not in (200, 206):
            return
        # A server that ignores the range sends all from the start: what we have is read past, not lost.
        self._skip = self.have if response.status_code == 200 else 0
        length = response.headers.get("Content-Length")
        if length is not None and int(length) != self.size - self.have + self._skip:
            raise _AnotherFile(f"another file of {int(length):,} bytes")
        # Nothing packed was asked for, so this header can only mean the tar.gz itself, which has to stay as it is.
        response.raw.headers.discard("Content-Encoding")

    def write(self, chunk: bytes) -> None:
        skipped = min(self._skip, len(chunk))
        self._skip -= skipped
        new = memoryview(chunk)[skipped:][: self.size - self._file.tell()]
        self._bar.update(len(new))
        surplus = len(chunk) - skipped - len(new)
        try:
            while new:
                new = new[self._file.write(new) :]
        except OSError as error:
            raise _cannot_write(self.part, error) from None
        if surplus:
            raise _AnotherFile("a longer file")

    def flush(self) -> None:
        """Asked for by the downloader after each piece; an unbuffered file has nothing to flush."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()
        self._file.close()


def _cannot_write(part: Path, error: OSError) -> LabError:
    return LabError(
        f"{part} cannot be written ({error.strerror}): what has arrived is kept, so make room or choose another folder "
        "with --folder, and give the same command again"
    )


def _is(archive: Archive, path: Path) -> bool:
    return pooch.file_hash(str(path)) == archive.sha256


def _read_all(folder: Path) -> None:
    for split in CIFAR10_SPLITS:
        cifar10(split, folder)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
