// libFuzzer: bbipc_verify and bbipc_reduce / bbipc_check on arbitrary keys and proofs.
//
// Input: two bytes that shift the borders between the parts, a key of 3680 bytes (or what there is), and the words of a flat
// proof. Seeds: fuzz/seeds.py. Both ways to verify must agree, and only one of the known outcomes may come out.
//
// BBIPC_FUZZ_SETUP names a file with the 192 bytes of a trusted setup (seeds.py writes that of the seeds). Without it the setup
// is Aztec's, and no seed gets past its first pairing.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bbipc_core.h"

namespace {

constexpr size_t key_size = 3680;

void demand(bool condition) {
    if (!condition) std::abort();
}

const bbipc_core* make_core() {
    const char* const path = std::getenv("BBIPC_FUZZ_SETUP");
    if (path == nullptr) return bbipc_core_new(nullptr, nullptr, BBIPC_ARITH_AUTO, nullptr);
    uint8_t setup[192];
    std::FILE* const file = std::fopen(path, "rb");
    demand(file != nullptr && std::fread(setup, 1, sizeof setup, file) == sizeof setup);
    std::fclose(file);
    return bbipc_core_new(setup, setup + 128, BBIPC_ARITH_AUTO, nullptr);
}

const bbipc_core* core() {
    static const bbipc_core* const instance = make_core();
    return instance;
}

bbipc_proof split(const uint8_t* words, uint64_t total, uint8_t first_shift, uint8_t second_shift) {
    const uint64_t fixed[4] = {41, 612, 64, 477};
    bbipc_proof proof{};
    proof.count[0] = total > 1194 ? total - 1194 : 0;
    for (unsigned i = 1; i < 5; ++i) proof.count[i] = fixed[i - 1];
    proof.count[1] += first_shift;
    proof.count[2] += second_shift;
    uint64_t start = 0;
    for (unsigned i = 0; i < 5; ++i) {
        proof.count[i] = std::min(proof.count[i], total - start);
        proof.part[i] = words + 32 * start;
        start += proof.count[i];
    }
    return proof;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    const uint8_t* const key = data + 2;
    const size_t key_length = std::min(size - 2, key_size);
    const uint8_t* const words = key + key_length;
    const bbipc_proof proof = split(words, (size - 2 - key_length) / 32, data[0], data[1]);

    bbipc_verdict alone, together;
    bbipc_verify(core(), &proof, key, key_length, 0, 1, nullptr, &alone);
    demand(alone.outcome == BBIPC_VALID || alone.outcome == BBIPC_INVALID || alone.outcome == BBIPC_ERROR);
    demand(alone.outcome != BBIPC_INVALID || alone.step != BBIPC_STEP_NONE);
    demand((alone.outcome == BBIPC_ERROR) == (alone.message[0] != 0));
    demand(std::memchr(alone.message, 0, sizeof alone.message) != nullptr);

    bbipc_claim* const claim = bbipc_reduce(core(), &proof, key, key_length, 0, nullptr);
    demand(claim != nullptr);
    bbipc_check(core(), &claim, 1, 1, nullptr, &together);
    bbipc_claim_free(claim);
    demand(alone.outcome == together.outcome && alone.step == together.step && alone.part == together.part &&
           alone.position == together.position && std::strcmp(alone.message, together.message) == 0);
    return 0;
}
