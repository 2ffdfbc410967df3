// libFuzzer: keys and compressed proofs of arbitrary bytes. What can be decompressed must compress to the same bytes.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bbipc_core.h"

namespace {

void demand(bool condition) {
    if (!condition) std::abort();
}

const bbipc_core* core() {
    static const bbipc_core* const instance = bbipc_core_new(nullptr, nullptr, BBIPC_ARITH_AUTO, nullptr);
    return instance;
}

bbipc_proof parts_of(const std::vector<uint8_t>& flat, uint64_t num_public_inputs) {
    bbipc_proof proof{};
    bbipc_verdict verdict;
    demand(bbipc_proof_split(flat.size() / 32, num_public_inputs, proof.count, &verdict) == BBIPC_OK);
    uint64_t start = 0;
    for (unsigned i = 0; i < 5; ++i) {
        proof.part[i] = flat.data() + 32 * start;
        start += proof.count[i];
    }
    return proof;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint64_t numbers[3];
    uint8_t hash[32];
    bbipc_verdict verdict;
    bbipc_key_inspect(core(), data, size, numbers, hash, &verdict);

    constexpr uint64_t fixed_words = 697;
    const uint64_t words = size / 32, num_public_inputs = words < fixed_words ? 0 : words - fixed_words;
    std::vector<uint8_t> flat(32 * (1242 + num_public_inputs));
    if (bbipc_proof_decompress(core(), data, size, flat.data(), flat.size(), &verdict) != BBIPC_OK) return 0;

    std::vector<uint8_t> again(size);
    const bbipc_proof proof = parts_of(flat, num_public_inputs);
    demand(bbipc_proof_compress(core(), &proof, again.data(), again.size(), &verdict) == BBIPC_OK);
    demand(std::memcmp(again.data(), data, size) == 0);
    return 0;
}
