"""The code of the release before this one, to run its processes beside ours."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The commit of that release.
NAMED_IN = Path(__file__).with_name("previous_release")


def unpack(folder: Path) -> Path:
    """Put it into the folder.

    Where the clone has no such commit, the code of this release stands in, so that the
    test says less and runs all the same. A warning says so, but for a shallow clone,
    which has no history and knows it.
    """
    commit = NAMED_IN.read_text().strip()
    if not has(commit):
        shallow = git("rev-parse", "--is-shallow-repository").stdout.decode().strip()
        if shallow != "true":
            warnings.warn(
                f"The previous release is the commit {commit}, by {NAMED_IN.name}, and"
                " this clone does not have it. Fetch the whole history, or put the"
                " commit of the release that people upgrade from into that file.",
                stacklevel=2,
            )
        commit = "HEAD"
    packed = git("archive", "--format=tar", commit)
    folder.mkdir(exist_ok=True)
    # Not by tarfile, which older Pythons of Debian know no safe way to use.
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


def has(commit: str) -> bool:
    return git("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def git(*words: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True)
    assert done.returncode in (0, 1, 128), done.stderr.decode()
    return done
