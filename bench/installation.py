"""What the benchmark needs from outside: wrk, redis-server, and an environment for each peer.

Programs are Debian packages. Peers live below `$BENCH_HOME`, outside of the repository.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.figures import Skipped

__all__ = ["PEERS", "python_of", "require_program"]

# Where scripts/redis.sh and scripts/chromium.sh put what they find, for `make bench`.
VENV = Path(__file__).resolve().parents[1] / ".venv"
FETCHED = os.pathsep.join(str(VENV / name / "bin") for name in ("redis", "chromium"))
PACKAGES = {"wrk": "wrk", "redis-server": "redis-server", "chromium": "chromium"}

# Fixed, so that two runs compare the same things. Raise them together, and run again.
PEERS = {
    "celery": ("celery[redis]==5.7.0",),
    "huey": ("huey==3.5.4", "redis<9"),
    "taskiq": ("taskiq==0.13.0", "taskiq-redis==1.2.4"),
    "dramatiq": ("dramatiq[redis]==2.2.1",),
}


def require_program(name: str, *, install: bool) -> str:
    """Return the path of a program, installing its package first if that is allowed and possible.

    Raises:
        Skipped: it is not there.
    """
    found = shutil.which(name, path=f"{FETCHED}{os.pathsep}{os.environ['PATH']}")
    if found is None and install and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {PACKAGES[name]} ...", file=sys.stderr)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", PACKAGES[name]], check=False)
        found = shutil.which(name)
    if found is None:
        raise Skipped(f"{name} is not installed: apt-get install {PACKAGES[name]}")
    return found


def python_of(peer: str, *, install: bool) -> str:
    """Return the Python of a peer's environment, making that first if allowed.

    Raises:
        Skipped: it is not there, or cannot be made.
    """
    folder = _home() / peer
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join(PEERS[peer])
    if stamp.is_file() and stamp.read_text() == wanted:
        return str(python)
    if not install:
        raise Skipped(f"{peer} is not installed in {folder}: run without --quick")
    print(f"Installing {peer} in {folder} ...", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS[peer]], check=False)
    if done.returncode:
        raise Skipped(f"{peer} cannot be installed: pip ended with {done.returncode}")
    stamp.write_text(wanted)
    return str(python)


def _home() -> Path:
    return Path(os.environ.get("BENCH_HOME", "~/.cache/openzato-bench")).expanduser()
