"""The small table of key names says what the registry says."""

import subprocess
import sys

from bbipc.aztec.key_names import KEY_NAMES
from bbipc.aztec.registry import aztec
from bbipc.cli.keys import load_key
from cli.running import SETUP
from samples import DATA


def test_the_table_is_that_of_the_registry() -> None:
    registry = aztec()
    keys = [key for release in registry.releases for key in release.keys.values()]
    table = {key.hash: registry.name_of_key(key.to_bytes()) for key in keys}
    assert dict(KEY_NAMES) == table, "\n".join(f'("{one.hex()}", "{name}"),' for one, name in table.items())


def test_a_key_that_is_built_in_is_named() -> None:
    for name in aztec().key_names():
        key = load_key(name)
        assert str(key) == f"key 0x{key.key.hash.hex()[:8]}.. ({aztec().name_of_key(key.key.to_bytes())})"


def test_naming_a_key_does_not_load_the_registry() -> None:
    code = (
        "import sys; from bbipc.cli.main import run; "
        f"run(['verify', {str(DATA / 'flow1/proof.msgpack')!r}, {str(DATA / 'flow1/vk')!r}, '--setup', {SETUP!r}]); "
        "print(*sorted(name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert done.stdout.startswith("valid ")
    needless = {"bbipc.aztec.registry", "importlib.resources", "rich", "trio", "anyio", "base64", "zlib", "signal"}
    assert not needless & set(loaded)
