"""The image of deploy/Containerfile, built and run. BBIPC_TEST_IMAGE_BASE names its base, a Debian 12 that the builder has or
can fetch (docker.io/library/debian:bookworm-slim)."""

import os
import shutil
import subprocess

import pytest

from deploy.queries import DEPLOY

BASE = os.environ.get("BBIPC_TEST_IMAGE_BASE")
INSTALLED = next((program for program in ("podman", "docker", "buildah") if shutil.which(program)), None)
BUILDER = os.environ.get("BBIPC_TEST_IMAGE_BUILDER", INSTALLED)
pytestmark = pytest.mark.skipif(BASE is None or BUILDER is None, reason="BBIPC_TEST_IMAGE_BASE, and podman, docker or buildah")
NAME = "localhost/bbipc-test"


def build(*words: str) -> str:
    assert BUILDER is not None
    done = subprocess.run([BUILDER, *words], cwd=DEPLOY.parent, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def test_the_image() -> None:
    """It is built, its installation is in order, and its server answers."""
    options = ("--network", "host", "--build-arg", f"BASE={BASE}", "-f", "deploy/Containerfile", "-t", NAME, ".")
    if BUILDER == "buildah":
        build("build", "--ignorefile", "deploy/Containerfile.dockerignore", *options)
        container = build("from", NAME).strip()
        try:
            said = [build("run", container, "--", "bbipc", command) for command in ("doctor", "demo")]
        finally:
            build("rm", container)
    else:
        build("build", *options)
        said = [build("run", "--rm", NAME, command) for command in ("doctor", "demo")]
    assert "self-check: the bundled proof is valid" in said[0]
    assert "valid" in said[1]
