#!/usr/bin/env bash
# Line coverage of csrc/ by the native tests and the corpora of the libFuzzer targets.
#
#   fuzz/coverage.sh DIRECTORY [CORPUS]      needs clang-14, llvm-14, libclang-rt-14-dev, cmake, ninja
#
# CORPUS: a folder with a folder for each target; without it the seeds are taken. DIRECTORY/html has the lines.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
corpus=${2:-$out/corpus}
flags="-fprofile-instr-generate -fcoverage-mapping"
configure() {
  cmake -S "$root" -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" "${@:2}" >/dev/null
  cmake --build "$1"
}
rm -rf "$out/raw" "$out/html"
mkdir -p "$out/raw"
export LLVM_PROFILE_FILE="$out/raw/%m-%p.profraw"
configure "$out/tests" -DBBIPC_TESTS=ON
ctest --test-dir "$out/tests" --output-on-failure
configure "$out/fuzz" -DBBIPC_FUZZ=ON
[ -d "$corpus" ] || python3 "$root/fuzz/seeds.py" "$corpus"
export BBIPC_FUZZ_SETUP="$corpus/setup"
objects=()
for target in "$out"/fuzz/fuzz/fuzz_*; do
  [ -f "$target" ] && [ -x "$target" ] || continue
  "$target" -runs=0 -max_len=70000 "$corpus/$(basename "$target")" 2>/dev/null
  objects+=(-object "$target")
done
for test in "$out"/tests/csrc/test_*; do
  [ -f "$test" ] && [ -x "$test" ] && objects+=(-object "$test")
done
llvm-profdata-14 merge -sparse "$out"/raw/*.profraw -o "$out/all.profdata"
ignore='(csrc/tests|/fuzz/|generators/derive)'
llvm-cov-14 show "${objects[@]:1}" -instr-profile="$out/all.profdata" -ignore-filename-regex="$ignore" -format=html \
  -output-dir="$out/html" >/dev/null
llvm-cov-14 report "${objects[@]:1}" -instr-profile="$out/all.profdata" -ignore-filename-regex="$ignore" -show-functions=0 \
  | sed 's/^\(.\{0,60\}\)  */\1 /'
