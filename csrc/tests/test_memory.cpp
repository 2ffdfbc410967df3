// Verification while memory runs out: whichever allocation fails, the verdict is that error, or what it is with enough memory.
// Argument: the file that tests/reference/capi_cases.py writes.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "../include/bbipc_core.h"
#include "case_file.hpp"
#include "check.hpp"
#include "paths.hpp"

namespace {

std::atomic<long> allocations_left{-1};  // negative: no limit
std::atomic<bool> only_one_fails{false};

void* allocate(std::size_t size, std::size_t alignment) {
    if (allocations_left.load() >= 0 && allocations_left.fetch_sub(1) <= 0) {
        allocations_left.store(only_one_fails.load() ? -1 : 0);  // or nothing after it succeeds
        throw std::bad_alloc();
    }
    void* const memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

// All forms, because a sanitizer brings each of them itself.
void* operator new(std::size_t size) { return allocate(std::max<std::size_t>(size, 1), alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate(size, static_cast<std::size_t>(alignment)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

struct Input {
    std::vector<std::uint8_t> words, key;

    bbipc_proof view() const {
        bbipc_proof proof{};
        bbipc_verdict verdict;
        CHECK(bbipc_proof_split(words.size() / 32, words.size() / 32 - 1242, proof.count, &verdict) == BBIPC_OK);
        const std::uint8_t* next = words.data();
        for (unsigned i = 0; i < 5; ++i) {
            proof.part[i] = next;
            next += 32 * proof.count[i];
        }
        return proof;
    }
};

// Runs a verification of two equal proofs with ever more allocations, `stride` more each time, until memory suffices.
template <class Verify>
void test_shortage(long stride, std::int32_t outcome, const Verify& verify) {
    unsigned long errors = 0;
    for (long allowed = 0;; allowed += stride) {
        bbipc_verdict verdicts[2];
        for (bbipc_verdict& v : verdicts) {
            std::memset(&v, 0, sizeof v);
            v.outcome = BBIPC_VALID;
        }
        allocations_left.store(allowed);
        verify(verdicts);
        const bool enough = allocations_left.exchange(-1) > 0;
        for (const bbipc_verdict& v : verdicts) {
            const bool failed = v.outcome == BBIPC_ERROR && v.message[0] != 0;
            errors += failed ? 1 : 0;
            CHECK(failed || v.outcome == outcome);
            CHECK(!enough || v.outcome == outcome);
        }
        if (enough) break;
    }
    CHECK(errors > 0);
}

// A single allocation fails while claims are made, and there is memory again for what tells of it: there are claims, and theirs are
// errors with a reason, or the proper verdicts.
template <class Fresh>
void test_one_failure(const Fresh& fresh, const bbipc_proof* proofs, const std::uint8_t* const* keys,
                      const std::uint64_t* lengths, std::int32_t outcome, long stride) {
    only_one_fails.store(true);
    for (const bool together : {false, true}) {
        unsigned long errors = 0;
        bool enough = false;
        for (long allowed = 0; !enough; allowed += allowed < 8 ? 1 : stride) {
            fresh([&](const bbipc_core* core) {
                bbipc_claim* claims[2] = {nullptr, nullptr};
                bbipc_verdict verdicts[2];
                for (bbipc_verdict& v : verdicts) v.outcome = BBIPC_VALID, v.message[0] = 0;
                allocations_left.store(allowed);
                if (together) {
                    bbipc_reduce_many(core, proofs, keys, lengths, 2, 0, nullptr, claims);
                } else {
                    for (unsigned i = 0; i < 2; ++i)
                        claims[i] = bbipc_reduce(core, &proofs[i], keys[i], lengths[i], 0, nullptr);
                }
                enough = allocations_left.exchange(-1) > 0;
                CHECK(claims[0] != nullptr && claims[1] != nullptr);
                bbipc_check(core, claims, 2, 1, nullptr, verdicts);
                for (const bbipc_verdict& v : verdicts) {
                    const bool failed = v.outcome == BBIPC_ERROR && v.message[0] != 0;
                    errors += failed ? 1 : 0;
                    // A claim that nothing was reduced to would be invalid, too, or valid: as its memory happens to be.
                    const bool decided = v.outcome == outcome && v.step == BBIPC_STEP_JOINT_PAIRING;
                    CHECK(failed || decided);
                    CHECK(!enough || decided);
                }
                for (bbipc_claim* const claim : claims) bbipc_claim_free(claim);
            });
        }
        CHECK(errors > 0);
    }
    only_one_fails.store(false);
}

void test_core(std::int32_t arith, const Input& input, const TestCase& setup, std::int32_t outcome, long stride) {
    const Rule rule("architecture: want of memory is an error");
    const auto g2_x = setup.bytes("g2_x"), translator_key = setup.bytes("translator_key");
    // A fresh context each time: a key that is cached needs less.
    const auto fresh = [&](const auto& use) {
        const long left = allocations_left.exchange(-1);
        const Core core = make_core(arith, g2_x.data(), translator_key.data());
        allocations_left.store(left);
        use(core.get());
    };
    const bbipc_proof proofs[2] = {input.view(), input.view()};
    const std::uint8_t* const keys[2] = {input.key.data(), input.key.data()};
    const std::uint64_t lengths[2] = {input.key.size(), input.key.size()};

    test_shortage(stride, outcome, [&](bbipc_verdict* verdicts) {
        fresh([&](const bbipc_core* core) {
            for (unsigned i = 0; i < 2; ++i) bbipc_verify(core, &proofs[i], keys[i], lengths[i], 0, 2, nullptr, &verdicts[i]);
        });
    });
    test_shortage(stride, outcome, [&](bbipc_verdict* verdicts) {
        fresh([&](const bbipc_core* core) { bbipc_verify_many(core, proofs, keys, lengths, 2, 0, 2, nullptr, verdicts); });
    });
    test_shortage(stride, outcome, [&](bbipc_verdict* verdicts) {
        fresh([&](const bbipc_core* core) {
            bbipc_claim* claims[2];
            for (unsigned i = 0; i < 2; ++i) claims[i] = bbipc_reduce(core, &proofs[i], keys[i], lengths[i], 0, nullptr);
            if (claims[0] == nullptr || claims[1] == nullptr) {  // not even memory to tell
                for (unsigned i = 0; i < 2; ++i) verdicts[i].outcome = BBIPC_ERROR, verdicts[i].message[0] = '-';
            } else {
                bbipc_check(core, claims, 2, 1, nullptr, verdicts);
            }
            for (bbipc_claim* const claim : claims) bbipc_claim_free(claim);
        });
    });
    if (outcome == BBIPC_INVALID) test_one_failure(fresh, proofs, keys, lengths, outcome, 4 * stride);
    for (long allowed = 0; allowed < 20; ++allowed) {
        allocations_left.store(allowed);
        char message[sizeof bbipc_verdict{}.message] = "";
        bbipc_core* const core = bbipc_core_new(g2_x.data(), translator_key.data(), arith, message);
        allocations_left.store(-1);
        CHECK(core != nullptr || std::strcmp(message, "out of memory") == 0);
        bbipc_core_free(core);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    const CaseFile file(argv[1]);
    const TestCase& proof = file.cases.at(1);
    CHECK(file.cases[0].kind == "setup" && proof.kind == "proof");
    const Input good{proof.bytes("fields"), proof.bytes("vk")};
    Input bad = good;
    std::fill(bad.words.end() - 128, bad.words.end(), std::uint8_t{0});  // the witness of the joint part
    for (const std::int32_t arith : paths_under_test()) {
        test_core(arith, bad, file.cases[0], BBIPC_INVALID, 11);
        test_core(arith, good, file.cases[0], BBIPC_VALID, 150);
    }
    return check_result();
}
