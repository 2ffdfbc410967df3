"""Generate the C source of the extension module bbipc._core from the core's public header.

Usage: cffi_module.py HEADER OUTPUT

The header is the only description of the C ABI: what cffi declares to Python is the header itself, without its preprocessor
lines (and without the lines that only a C++ compiler sees).
"""

import sys
from pathlib import Path

from cffi import FFI


def declarations(header: str) -> str:
    """The header as cffi's parser wants it: no preprocessor lines, nothing between `#ifdef __cplusplus` and `#endif`."""
    kept = []
    in_cplusplus = False
    for line in header.splitlines():
        if line.startswith("#"):
            in_cplusplus = line.split() == ["#ifdef", "__cplusplus"]
        elif not in_cplusplus:
            kept.append(line)
    return "\n".join(kept)


def main() -> None:
    """Write the module's source; a line continuation of a macro in the header would be an error here, by design."""
    header, output = (Path(argument) for argument in sys.argv[1:])
    ffi = FFI()
    ffi.cdef(declarations(header.read_text(encoding="ascii")))
    ffi.set_source("bbipc._core", f'#include "{header.name}"')
    ffi.emit_c_code(str(output))


if __name__ == "__main__":
    main()
