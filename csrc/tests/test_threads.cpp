// What several threads share: the cache of keys, claims, cancel flags, and the work of one verification. Run under
// ThreadSanitizer in CI; by themselves the tests show that no answer depends on what other threads do.
// Argument: the file that tests/reference/capi_cases.py writes.
#include <atomic>
#include <cstring>
#include <functional>
#include <new>
#include <thread>

#include "../chonk/keys/key_cache.hpp"
#include "../chonk/proof/proof.hpp"
#include "../chonk/verify/reduce.hpp"
#include "../chonk/verify/verify.hpp"
#include "../msm/parallel.hpp"
#include "case_file.hpp"
#include "check.hpp"
#include "paths.hpp"

using namespace bbipc;

namespace {

using Bytes = std::vector<std::uint8_t>;
using ClaimPointer = std::unique_ptr<bbipc_claim, decltype(&bbipc_claim_free)>;

// CHECK counts without a lock: threads report here, and the main thread checks.
std::atomic<unsigned> wrong{0};
void expect(bool ok) { wrong += ok ? 0 : 1; }

// Runs an action in each of `count` threads, which start together.
void together(unsigned count, const std::function<void(unsigned)>& action) {
    std::atomic<unsigned> waiting{count};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < count; ++t) {
        threads.emplace_back([&, t] {
            --waiting;
            while (waiting.load() != 0) std::this_thread::yield();
            action(t);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

struct Input {
    Bytes words, key;
    bbipc_proof proof{};

    explicit Input(const TestCase& test) : words(test.bytes("fields")), key(test.bytes("vk")) {
        bbipc_verdict verdict;
        CHECK(bbipc_proof_split(words.size() / 32, words.size() / 32 - fixed_length, proof.count, &verdict) == BBIPC_OK);
        const std::uint8_t* next = words.data();
        for (std::size_t i = 0; i < 5; ++i) {
            proof.part[i] = next;
            next += 32 * proof.count[i];
        }
    }
    Input(const Input&) = delete;
    Input(Input&&) = default;
};

Bytes numbered_key(const Bytes& key, unsigned n) {
    Bytes changed = key;
    changed[30] = static_cast<std::uint8_t>(n >> 8), changed[31] = static_cast<std::uint8_t>(n);
    return changed;
}

// Every piece of work is done once, whatever the number of threads; and if it fails in any of them, so does the whole: sums that
// were not made would read as empty ones, which hold.
void test_parallel_work() {
    const Rule rule("00.7, work on several threads is done whole or not at all");
    for (const unsigned threads : {1u, 2u, 3u, 8u}) {
        for (const std::size_t count : {0, 1, 2, 3, 7, 100}) {
            std::vector<std::atomic<unsigned>> done(count);
            bbipc::parallel_for(count, threads, [&](unsigned worker, std::size_t i) {
                expect(worker < threads);
                ++done[i];
            });
            for (const std::atomic<unsigned>& times : done) CHECK(times == 1);
        }
    }
    for (unsigned failing = 0; failing < 3; ++failing) {  // the caller's own thread, and others
        std::atomic<unsigned> waiting{3};
        bool thrown = false;
        try {
            bbipc::parallel_for(3, 3, [&](unsigned worker, std::size_t) {
                --waiting;
                while (waiting.load() != 0) std::this_thread::yield();  // until each thread has its piece
                if (worker == failing) throw std::bad_alloc();
            });
        } catch (const std::bad_alloc&) {
            thrown = true;
        }
        CHECK(thrown);
    }
    CHECK(wrong == 0);
}

// Threads ask for the same keys and for different ones, more than the cache holds, some undecodable, some strictly.
void test_key_cache(const Bytes& key) {
    const Rule rule("03.1, the key cache and threads");
    KeyCache cache;
    together(4, [&](unsigned t) {
        for (unsigned n = 0; n < 60; ++n) {
            const unsigned number = (n * (t + 1)) % 90;
            FormatError error;
            const auto found = cache.decode(numbered_key(key, number).data(), key.size(), false, error);
            expect(found != nullptr && found->log_circuit_size == number && found->num_public_inputs != 0);
        }
        Bytes bad = numbered_key(key, t);
        bad[32 * 6 - 1] ^= 1;  // a point that is not on the curve
        for (int again = 0; again < 2; ++again) {
            FormatError error;
            expect(cache.decode(bad.data(), bad.size(), false, error) == nullptr && error.message[0] != 0);
        }
    });
    CHECK(wrong == 0);
    // A spelling that was accepted loosely is not accepted strictly because it is known.
    Bytes wide = key;
    wide[23] = 1;  // 2^64 more in the first word
    FormatError error;
    CHECK(cache.decode(wide.data(), wide.size(), false, error) != nullptr);
    CHECK(cache.decode(wide.data(), wide.size(), true, error) == nullptr && error.message[0] != 0);
    // Keys that differ in one byte anywhere are different keys.
    for (const std::size_t at : {std::size_t{31}, std::size_t{63}, std::size_t{95}, key.size() - 1}) {
        Bytes other = key;
        other[at] ^= 1;
        const auto one = cache.decode(key.data(), key.size(), false, error),
                   two = cache.decode(other.data(), other.size(), false, error);
        CHECK(one != nullptr && (two == nullptr || (two != one && two->hash != one->hash)));
    }
    // What is asked for too rarely is forgotten: the cache has a limit.
    const std::weak_ptr<const Key> kept = cache.decode(key.data(), key.size(), false, error);
    CHECK(!kept.expired());
    for (unsigned n = 0; n < 2000 && !kept.expired(); ++n)
        cache.decode(numbered_key(key, n + 100).data(), key.size(), false, error);
    CHECK(kept.expired());
}

// Threads make claims of their own and check claims of all, with the context and its key cache shared.
void test_claims(const Core& core, const std::vector<Input>& inputs, const Input& bad) {
    const Rule rule("00.7, claims and threads");
    std::vector<ClaimPointer> claims;
    for (unsigned t = 0; t < 3; ++t) claims.emplace_back(nullptr, bbipc_claim_free);
    const Input* const sources[3] = {&inputs[0], &bad, &inputs[1]};
    together(3, [&](unsigned t) {
        const Input& input = *sources[t];
        claims[t].reset(bbipc_reduce(core.get(), &input.proof, input.key.data(), input.key.size(), 0, nullptr));
    });
    const bbipc_claim* const pointers[3] = {claims[0].get(), claims[1].get(), claims[2].get()};
    together(2, [&](unsigned t) {
        bbipc_verdict verdicts[3];
        bbipc_check(core.get(), pointers, 3, 1 + t, nullptr, verdicts);
        expect(verdicts[0].outcome == BBIPC_VALID && verdicts[2].outcome == BBIPC_VALID);
        expect(verdicts[1].outcome == BBIPC_INVALID && verdicts[1].step == BBIPC_STEP_JOINT_PAIRING);
    });
    CHECK(wrong == 0);
}

// A flag is raised by another thread while a batch is reduced and checked: each verdict is cancelled or right.
void test_cancellation(const Core& core, const std::vector<Input>& inputs) {
    const Rule rule("00.5, cancellation and threads");
    bbipc_proof proofs[2] = {inputs[0].proof, inputs[1].proof};
    const std::uint8_t* const keys[2] = {inputs[0].key.data(), inputs[1].key.data()};
    const std::uint64_t lengths[2] = {inputs[0].key.size(), inputs[1].key.size()};
    std::int32_t flag = 0;
    std::atomic<bool> ended{false};
    together(2, [&](unsigned t) {
        if (t == 0) {
            bbipc_verdict verdicts[2];
            bbipc_verify_many(core.get(), proofs, keys, lengths, 2, 0, 2, &flag, verdicts);
            for (const bbipc_verdict& v : verdicts) expect(v.outcome == BBIPC_CANCELLED || v.outcome == BBIPC_VALID);
            ended = true;
        } else {
            for (int i = 0; i < 200 && !ended; ++i) std::this_thread::yield();
            __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
        }
    });
    // Each claim has its own flag: a thread that raises one changes nothing about the other.
    ClaimPointer first(bbipc_reduce(core.get(), &proofs[0], keys[0], lengths[0], 0, nullptr), bbipc_claim_free);
    ClaimPointer second(bbipc_reduce(core.get(), &proofs[1], keys[1], lengths[1], 0, nullptr), bbipc_claim_free);
    const bbipc_claim* const claims[2] = {first.get(), second.get()};
    std::int32_t raised = 0;
    const std::int32_t lowered = 0;
    const std::int32_t* const flags[2] = {&raised, &lowered};
    together(2, [&](unsigned t) {
        if (t == 0) {
            bbipc_verdict verdicts[2];
            bbipc_check(core.get(), claims, 2, 2, flags, verdicts);
            expect(verdicts[0].outcome == BBIPC_CANCELLED || verdicts[0].outcome == BBIPC_VALID);
            expect(verdicts[1].outcome == BBIPC_VALID);
        } else {
            __atomic_store_n(&raised, 1, __ATOMIC_RELAXED);
        }
    });
    CHECK(wrong == 0);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    Bytes g2_x, translator_key;
    std::vector<Input> inputs;
    const TestCase* spoilt = nullptr;
    const CaseFile file(argv[1]);
    for (const TestCase& test : file.cases) {
        if (test.kind == "setup") g2_x = test.bytes("g2_x"), translator_key = test.bytes("translator_key");
        if (test.kind == "proof") inputs.emplace_back(test), spoilt = &test;
    }
    CHECK(inputs.size() == 2);
    Input bad(*spoilt);
    std::memset(&bad.words[bad.words.size() - 128], 0, 128);  // the joint part's witness becomes infinite
    const Core core = make_core(paths_under_test()[0], g2_x.data(), translator_key.data());
    CHECK(core != nullptr);
    test_parallel_work();
    test_key_cache(inputs[0].key);
    test_claims(core, inputs, bad);
    test_cancellation(core, inputs);
    return check_result();
}
