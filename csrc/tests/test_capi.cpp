// Verification through the C ABI: verdicts, errors, cancellation, contexts, encodings. Primitive operations: test_primitives.
// Argument: the file that tests/reference/capi_cases.py writes.
#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "../config.hpp"
#include "../curve/curve.hpp"
#include "../field/field.hpp"
#include "../field/hex.hpp"
#include "../include/bbipc_core.h"
#include "../transcript/codec.hpp"
#include "case_file.hpp"
#include "check.hpp"
#include "paths.hpp"

using namespace bbipc;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t fixed_words = 1242, oink_words = 48, merge_words = 41, eccvm_words = 612, ipa_words = 64,
                        joint_words = 477;

struct Setup {
    Bytes g2_x, translator_key;
};

// A proof and key that can be edited. Word numbers count from the start of the flat proof.
struct Input {
    Bytes words, key;
    std::uint64_t count[5];

    std::uint64_t total() const { return words.size() / 32; }
    std::uint64_t start(unsigned part) const { return part == 0 ? 0 : start(part - 1) + count[part - 1]; }
    std::uint8_t* word(unsigned part, std::uint64_t index) { return &words[32 * (start(part) + index)]; }

    bbipc_proof view() const {
        bbipc_proof proof{};
        for (unsigned i = 0; i < 5; ++i) {
            proof.part[i] = words.data() + 32 * start(i);
            proof.count[i] = count[i];
        }
        return proof;
    }
    // Adds one to a word.
    void increment(unsigned part, std::uint64_t index) {
        std::uint8_t* byte = word(part, index) + 31;
        while (++*byte == 0) --byte;
    }
    // Makes the point of G1 that starts at this word infinite.
    void remove_g1(unsigned part, std::uint64_t index) { std::fill_n(word(part, index), 128, std::uint8_t{0}); }
};

Input read_input(const TestCase& test) {
    Input input{test.bytes("fields"), test.bytes("vk"), {}};
    const std::uint64_t public_inputs = input.total() - fixed_words;
    const std::uint64_t counts[5] = {public_inputs + oink_words, merge_words, eccvm_words, ipa_words, joint_words};
    std::copy(std::begin(counts), std::end(counts), input.count);
    return input;
}

// A verdict as the caller's memory may hold it before a call: the most dangerous one.
bbipc_verdict stale_verdict() {
    bbipc_verdict verdict{};
    verdict.outcome = BBIPC_VALID;
    verdict.position = 7;
    return verdict;
}

bool same(const bbipc_verdict& a, const bbipc_verdict& b) {
    return a.outcome == b.outcome && a.step == b.step && a.part == b.part && a.position == b.position &&
           std::strcmp(a.message, b.message) == 0;
}

bool is_valid(const bbipc_verdict& v) {
    return v.outcome == BBIPC_VALID && v.step == BBIPC_STEP_NONE && v.part == BBIPC_PART_NONE && v.position == -1 &&
           v.message[0] == 0;
}
bool is_invalid(const bbipc_verdict& v, std::int32_t step) {
    return v.outcome == BBIPC_INVALID && v.step == step && v.part == BBIPC_PART_NONE && v.message[0] == 0;
}
// What an encoding that could be read leaves: zeros, which are not an acceptance.
bool is_zeroed(const bbipc_verdict& v) {
    const bbipc_verdict zeros = {};
    return v.outcome != BBIPC_VALID && std::memcmp(&v, &zeros, sizeof v) == 0;
}
bool is_cancelled(const bbipc_verdict& v) { return v.outcome == BBIPC_CANCELLED && v.message[0] == 0; }
bool is_error(const bbipc_verdict& v, std::int32_t part, std::int64_t position, const char* text) {
    const bool ok = v.outcome == BBIPC_ERROR && v.part == part && v.position == position && std::strstr(v.message, text);
    if (!ok) std::fprintf(stderr, "  not \"%s\": part %d, position %ld, %s\n", text, v.part, long(v.position), v.message);
    return ok;
}

bbipc_verdict verify(const Core& core, const Input& input, std::uint32_t flags = 0, std::uint32_t threads = 1,
                     const std::int32_t* cancel = nullptr) {
    bbipc_verdict verdict = stale_verdict();
    const bbipc_proof proof = input.view();
    bbipc_verify(core.get(), &proof, input.key.data(), input.key.size(), flags, threads, cancel, &verdict);
    return verdict;
}

using Claim = std::unique_ptr<bbipc_claim, decltype(&bbipc_claim_free)>;

Claim reduce(const Core& core, const Input& input, const std::int32_t* cancel = nullptr) {
    const bbipc_proof proof = input.view();
    return {bbipc_reduce(core.get(), &proof, input.key.data(), input.key.size(), 0, cancel), bbipc_claim_free};
}

std::vector<bbipc_verdict> check_claims(const Core& core, const std::vector<Claim>& claims, std::uint32_t threads,
                                        const std::int32_t* const* cancels = nullptr) {
    std::vector<const bbipc_claim*> pointers;
    for (const Claim& claim : claims) pointers.push_back(claim.get());
    std::vector<bbipc_verdict> verdicts(claims.size(), stale_verdict());
    bbipc_check(core.get(), pointers.data(), pointers.size(), threads, cancels, verdicts.data());
    return verdicts;
}

std::vector<bbipc_verdict> verify_many(const Core& core, const std::vector<Input>& inputs, std::uint32_t threads,
                                       const std::int32_t* cancel = nullptr) {
    std::vector<bbipc_proof> proofs;
    std::vector<const std::uint8_t*> keys;
    std::vector<std::uint64_t> lengths;
    for (const Input& input : inputs) {
        proofs.push_back(input.view());
        keys.push_back(input.key.data());
        lengths.push_back(input.key.size());
    }
    std::vector<bbipc_verdict> verdicts(inputs.size(), stale_verdict());
    bbipc_verify_many(core.get(), proofs.data(), keys.data(), lengths.data(), proofs.size(), 0, threads, cancel,
                      verdicts.data());
    return verdicts;
}

template <class Change>
Input changed(Input input, const Change& change) {
    change(input);
    return input;
}

// ---- Verdicts ----

struct Expected {
    Input input;
    std::function<bool(const bbipc_verdict&)> holds;
};

// One input for each way in which a verification can end, but for cancellation.
std::vector<Expected> all_ends(const Input& good) {
    const std::uint64_t public_inputs = good.count[0] - oink_words;
    std::vector<Expected> ends;
    const auto add = [&](const auto& change, std::function<bool(const bbipc_verdict&)> holds) {
        ends.push_back({changed(good, change), std::move(holds)});
    };
    const auto invalid = [](std::int32_t step) { return [step](const bbipc_verdict& v) { return is_invalid(v, step); }; };
    const auto error = [](std::int32_t part, std::int64_t position, const char* text) {
        return [=](const bbipc_verdict& v) { return is_error(v, part, position, text); };
    };
    add([](Input&) {}, is_valid);

    // The last 28 public inputs are 7 points: P0, P1, kernel return data, the table so far.
    add([&](Input& i) { i.remove_g1(0, public_inputs - 28); }, invalid(BBIPC_STEP_PI_PAIRING));
    add([&](Input& i) { i.remove_g1(0, public_inputs - 20); }, invalid(BBIPC_STEP_DATABUS));
    add([](Input& i) { i.increment(0, 0); }, invalid(BBIPC_STEP_MERGE_REDUCTION));   // another transcript
    add([](Input& i) { i.increment(1, 24); }, invalid(BBIPC_STEP_MERGE_REDUCTION));  // a value opened
    add([](Input& i) { i.remove_g1(1, 37); }, invalid(BBIPC_STEP_MERGE_PAIRING));    // the witness, read last
    add([](Input& i) { i.increment(2, 180); }, invalid(BBIPC_STEP_ECCVM));           // the Libra sum
    add([](Input& i) { i.increment(4, 52); }, invalid(BBIPC_STEP_JOINT_REDUCTION));  // the Libra sum
    add([](Input& i) { i.remove_g1(4, 473); }, invalid(BBIPC_STEP_JOINT_PAIRING));   // the witness, read last
    add([](Input& i) { i.increment(3, 62); }, invalid(BBIPC_STEP_IPA));              // a0

    const std::int32_t parts[5] = {BBIPC_PART_HIDING_OINK, BBIPC_PART_MERGE, BBIPC_PART_ECCVM, BBIPC_PART_IPA,
                                   BBIPC_PART_JOINT};
    for (unsigned p = 0; p < 5; ++p) {
        add([p](Input& i) { std::fill_n(i.word(p, 3), 32, std::uint8_t{0xff}); }, error(parts[p], 3, "fr::modulus"));
    }
    add(
        [](Input& i) {
            i.increment(1, 1);
            i.word(1, 1)[0] = 1;
        },
        error(BBIPC_PART_MERGE, 1, "high limb"));
    add([](Input& i) { i.word(1, 0)[0] = 1; }, error(BBIPC_PART_MERGE, 0, "low limb"));
    add([](Input& i) { i.increment(1, 2); }, error(BBIPC_PART_MERGE, 0, "not on the curve"));
    add([](Input& i) { i.increment(2, 1); }, error(BBIPC_PART_ECCVM, 0, "not on the curve"));
    add([](Input& i) { i.increment(3, 1); }, error(BBIPC_PART_IPA, 0, "not on the curve"));
    add([](Input& i) { i.increment(4, 2); }, error(BBIPC_PART_JOINT, 0, "not on the curve"));
    add([&](Input& i) { i.increment(0, public_inputs + 2); },
        error(BBIPC_PART_HIDING_OINK, std::int64_t(public_inputs), "not on the curve"));
    add([&](Input& i) { i.increment(0, public_inputs - 26); },
        error(BBIPC_PART_HIDING_OINK, std::int64_t(public_inputs) - 28, "not on the curve"));
    add([&](Input& i) { i.word(0, public_inputs - 27)[0] = 1; },
        error(BBIPC_PART_HIDING_OINK, std::int64_t(public_inputs) - 27, "high limb"));
    add(
        [&](Input& i) {  // q as two limbs
            U256 lo = Fq::modulus;
            lo.limb[2] &= 0xff;
            lo.limb[3] = 0;
            store_be(i.word(2, 180), lo);
            store_be(i.word(2, 181), Fq::modulus.shifted_right(136));
        },
        error(BBIPC_PART_ECCVM, 180, "fq::modulus"));

    add([](Input& i) { i.words.resize(i.words.size() - 32), --i.count[4]; },
        error(BBIPC_PART_FLAT, -1, "proof has wrong size"));
    add([](Input& i) { --i.count[2], ++i.count[3]; }, error(BBIPC_PART_ECCVM, 611, "too short"));
    add([](Input& i) { --i.count[0], ++i.count[1]; }, error(BBIPC_PART_HIDING_OINK, -1, "number of public inputs"));
    add([](Input& i) { i.count[1] += i.count[0] - 47, i.count[0] = 47; },
        error(BBIPC_PART_HIDING_OINK, -1, "too short to derive num_public_inputs"));
    add(
        [&](Input& i) {  // a key with 27 public inputs, and as many in the proof
            const std::uint64_t dropped = public_inputs - 27;
            i.words.erase(i.words.begin(), i.words.begin() + std::ptrdiff_t(32 * dropped));
            i.count[0] -= dropped;
            i.key[63] = 27;
        },
        error(BBIPC_PART_HIDING_OINK, -1, "Public inputs too small"));

    add([](Input& i) { i.key.pop_back(); }, error(BBIPC_PART_KEY, -1, "key has wrong size: expected 3680, got 3679"));
    add([](Input& i) { i.key.clear(); }, error(BBIPC_PART_KEY, -1, "verification key has wrong size"));
    add([](Input& i) { i.key[32 * 3] = 1; }, error(BBIPC_PART_KEY, 3, "low limb"));
    add([](Input& i) { i.key[32 * 4] = 1; }, error(BBIPC_PART_KEY, 4, "high limb"));
    add([](Input& i) { i.key[32 * 6 - 1] ^= 1; }, error(BBIPC_PART_KEY, 3, "not on the curve"));
    add([](Input& i) { i.key[31] ^= 1; }, invalid(BBIPC_STEP_MERGE_REDUCTION));  // hashed
    add([](Input& i) { i.key[95] ^= 1; }, invalid(BBIPC_STEP_MERGE_REDUCTION));
    add([](Input& i) { i.key[32] = 0x31; }, error(BBIPC_PART_FLAT, -1, "proof has wrong size"));  // reduced, then 64 bits of it
    return ends;
}

void test_every_end(const Core& core, const Input& good) {
    const Rule rule("03.3, a proof may end anywhere");
    const std::vector<Expected> ends = all_ends(good);
    std::vector<bbipc_verdict> alone;
    std::vector<Input> inputs;
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        alone.push_back(verify(core, ends[i].input));
        CHECK(ends[i].holds(alone.back()));
        inputs.push_back(ends[i].input);
        claims.push_back(reduce(core, ends[i].input));
    }
    // Together, whatever stands beside: in this order, and with good proofs at both ends of the batch.
    inputs.insert(inputs.end(), 2, good);
    for (const std::uint32_t threads : {0U, 2U}) {
        const auto verdicts = verify_many(core, inputs, threads);
        for (std::size_t i = 0; i < ends.size(); ++i) CHECK(same(verdicts[i], alone[i]));
        CHECK(is_valid(verdicts[ends.size()]) && is_valid(verdicts[ends.size() + 1]));
    }
    const auto checked = check_claims(core, claims, 2);
    for (std::size_t i = 0; i < ends.size(); ++i) CHECK(same(checked[i], alone[i]));
    CHECK(check_claims(core, {}, 1).empty() && verify_many(core, {}, 1).empty());
}

void test_strict(const Core& core, const Input& good) {
    const Rule rule("00.6, strict");
    CHECK(is_valid(verify(core, good, BBIPC_STRICT)));
    const Input resplit = changed(good, [](Input& i) { ++i.count[1], --i.count[2]; });  // one stream all the same
    CHECK(is_valid(verify(core, resplit)));
    CHECK(is_error(verify(core, resplit, BBIPC_STRICT), BBIPC_PART_MERGE, -1, "wrong size: expected 41, got 42"));

    U256 plus_modulus;
    add_carry(plus_modulus, load_be(good.key.data()), Fr::modulus);
    const Input unreduced = changed(good, [&](Input& i) { store_be(i.key.data(), plus_modulus); });
    CHECK(is_valid(verify(core, unreduced)));
    CHECK(is_error(verify(core, unreduced, BBIPC_STRICT), BBIPC_PART_KEY, 0, "non-canonical"));
    const Input wide = changed(good, [](Input& i) { i.key[32 + 23] = 1; });  // 2^64 more public inputs
    CHECK(is_valid(verify(core, wide)));
    CHECK(is_error(verify(core, wide, BBIPC_STRICT), BBIPC_PART_KEY, 1, "non-canonical"));
    const Input short_key = changed(good, [](Input& i) { i.key.pop_back(); });
    CHECK(is_error(verify(core, short_key, BBIPC_STRICT), BBIPC_PART_KEY, -1, "wrong size"));

    // In every way to verify, and for every proof of a batch that takes more than one group.
    constexpr std::size_t count = 19;
    for (const Input* const other : {&resplit, &unreduced}) {
        const auto refused = [&](const bbipc_verdict& v) {
            return other == &resplit ? is_error(v, BBIPC_PART_MERGE, -1, "wrong size")
                                     : is_error(v, BBIPC_PART_KEY, 0, "non-canonical");
        };
        const std::vector<bbipc_proof> proofs(count, other->view());
        const std::vector<const std::uint8_t*> keys(count, other->key.data());
        const std::vector<std::uint64_t> lengths(count, other->key.size());
        for (const std::uint32_t threads : {1u, 2u}) {
            std::vector<bbipc_verdict> verdicts(count, stale_verdict());
            bbipc_verify_many(core.get(), proofs.data(), keys.data(), lengths.data(), count, BBIPC_STRICT, threads, nullptr,
                              verdicts.data());
            for (const bbipc_verdict& v : verdicts) CHECK(refused(v));
        }
        bbipc_claim* made[count + 1];
        bbipc_reduce_many(core.get(), proofs.data(), keys.data(), lengths.data(), count, BBIPC_STRICT, nullptr, made);
        made[count] = bbipc_reduce(core.get(), &proofs[0], keys[0], lengths[0], BBIPC_STRICT, nullptr);
        std::vector<bbipc_verdict> verdicts(count + 1, stale_verdict());
        bbipc_check(core.get(), made, count + 1, 1, nullptr, verdicts.data());
        for (const bbipc_verdict& v : verdicts) CHECK(refused(v));
        for (bbipc_claim* const claim : made) bbipc_claim_free(claim);
    }
}

void test_cancellation(const Core& core, const Input& good, const Input& bad) {
    const Rule rule("00.5, cancellation");
    const std::int32_t raised = 1, lowered = 0;
    CHECK(is_cancelled(verify(core, good, 0, 1, &raised)));
    CHECK(is_cancelled(verify(core, bad, 0, 1, &raised)));
    CHECK(is_valid(verify(core, good, 0, 2, &lowered)));
    for (const bbipc_verdict& v : verify_many(core, {good, bad, good}, 2, &raised)) CHECK(is_cancelled(v));

    std::vector<Claim> claims;
    claims.push_back(reduce(core, good, &raised));  // cancelled while it was reduced
    for (const Input* input : {&good, &bad, &good, &good}) claims.push_back(reduce(core, *input));
    const std::int32_t* const flags[5] = {nullptr, &lowered, &raised, &raised, nullptr};
    const auto verdicts = check_claims(core, claims, 1, flags);
    CHECK(is_cancelled(verdicts[0]) && is_valid(verdicts[1]) && is_cancelled(verdicts[2]) && is_cancelled(verdicts[3]) &&
          is_valid(verdicts[4]));

    // Of proofs that are reduced together each has its own flag, in the first group of them and in the last.
    constexpr std::size_t count = 10;
    const std::vector<bbipc_proof> proofs(count, good.view());
    const std::vector<const std::uint8_t*> keys(count, good.key.data());
    const std::vector<std::uint64_t> lengths(count, good.key.size());
    for (const std::size_t stopped : {std::size_t{0}, std::size_t{3}, count - 1}) {
        std::vector<const std::int32_t*> own(count, &lowered);
        own[stopped] = &raised;
        bbipc_claim* made[count];
        bbipc_reduce_many(core.get(), proofs.data(), keys.data(), lengths.data(), count, 0, own.data(), made);
        bbipc_verdict together[count];
        bbipc_check(core.get(), made, count, 2, nullptr, together);
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(i == stopped ? is_cancelled(together[i]) : is_valid(together[i]));
            bbipc_claim_free(made[i]);
        }
    }
}

// ---- Contexts ----

void test_contexts(std::int32_t arith, const Setup& setup, const Core& core, const Input& good) {
    const Rule rule("01.8, each context has its own setup");
    char message[sizeof bbipc_verdict{}.message];
    const auto refused = [&](const Setup& s, const char* text) {
        std::strcpy(message, "unchanged");
        const bool null = bbipc_core_new(s.g2_x.data(), s.translator_key.data(), arith, message) == nullptr;
        return null && std::strstr(message, text) != nullptr;
    };
    Setup s = setup;
    s.g2_x[0] = 0xff;
    CHECK(refused(s, "g2_x: a coordinate is not below the modulus"));
    s = setup, s.g2_x[31] ^= 1;
    CHECK(refused(s, "g2_x: the point is not on the twist"));
    s.g2_x.assign(128, 0);
    s.g2_x[31] = 1;  // x = 1: on the twist, but r times this point is not infinity
    store_be(&s.g2_x[64], U256{{0xab4b871c0531f1bb, 0xaadd70e52c9830e9, 0xf8e2728fdb825a51, 0x2869111d5381f072}});
    store_be(&s.g2_x[96], U256{{0x1b7f8da82de048a4, 0x998c7f790cb4d751, 0x36846e70a1934187, 0xd1271953ed9ea08}});
    CHECK(refused(s, "g2_x: the point is not in the subgroup"));
    s.g2_x.assign(128, 0);
    CHECK(refused(s, "g2_x: the point at infinity"));
    for (const std::size_t coordinate : {0, 32}) {
        s = setup, s.translator_key[coordinate] = 0xff;
        CHECK(refused(s, "translator_key: a coordinate is not below the modulus"));
    }
    s = setup, s.translator_key[63] ^= 1;
    CHECK(refused(s, "translator_key: the point is not on the curve"));
    s = setup, s.translator_key.assign(64, 0);
    CHECK(refused(s, "translator_key: the point at infinity"));
    CHECK(bbipc_core_new(setup.g2_x.data(), nullptr, arith, message) == nullptr && std::strstr(message, "both"));
    CHECK(bbipc_core_new(nullptr, setup.translator_key.data(), arith, nullptr) == nullptr);
    CHECK(bbipc_core_new(nullptr, nullptr, 99, message) == nullptr && std::strstr(message, "not supported"));
    CHECK(bbipc_arith_supported(99) == 0 && bbipc_arith_supported(BBIPC_ARITH_AUTO) == 1);

    const Core aztec = make_core(arith, nullptr, nullptr), automatic = make_core(BBIPC_ARITH_AUTO, nullptr, nullptr);
    CHECK(bbipc_core_arith(aztec.get()) == arith && bbipc_core_arith(core.get()) == arith);
    CHECK(bbipc_arith_supported(bbipc_core_arith(automatic.get())) == 1);
    CHECK(is_invalid(verify(aztec, good), BBIPC_STEP_PI_PAIRING));  // a proof of another setup

    // A claim that another context reduced is decided by neither, and disturbs no other.
    std::vector<Claim> claims;
    claims.push_back(reduce(core, good));
    claims.push_back(reduce(aztec, good));
    claims.push_back(reduce(core, good));
    const auto verdicts = check_claims(core, claims, 1);
    CHECK(is_valid(verdicts[0]) && is_valid(verdicts[2]));
    CHECK(is_error(verdicts[1], BBIPC_PART_NONE, -1, "the context that made it"));
    bbipc_claim_free(nullptr);
    bbipc_core_free(nullptr);
}

// No value of one enumeration is a value of the other, and memory that nobody wrote to is neither a success nor an acceptance.
void test_numbers() {
    const Rule rule("the C ABI, success");
    constexpr std::int32_t outcomes[] = {BBIPC_ERROR, BBIPC_VALID, BBIPC_INVALID, BBIPC_CANCELLED};
    constexpr std::int32_t statuses[] = {
        BBIPC_OK,
        BBIPC_NOT_CANONICAL,
        BBIPC_NOT_ON_CURVE,
        BBIPC_NO_RESULT,
        BBIPC_BAD_ARGUMENT,
        BBIPC_OUT_OF_MEMORY,
        BBIPC_BAD_ENCODING,
        BBIPC_RING_NOTHING,
        BBIPC_RING_NO_SPACE,
        BBIPC_RING_TOO_LONG,
        BBIPC_RING_BROKEN,
        BBIPC_RING_INTERRUPTED,
    };
    std::vector<std::int32_t> all(std::begin(outcomes), std::end(outcomes));
    all.insert(all.end(), std::begin(statuses), std::end(statuses));
    std::sort(all.begin(), all.end());
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    CHECK(std::find(std::begin(statuses), std::end(statuses), 0) == std::end(statuses) && BBIPC_VALID != 0);
}

// A null pointer that is not allowed is an error wherever it stands, and touches nothing.
void test_null_pointers(const Core& core, const Input& good) {
    const Rule rule("the C ABI, null pointers");
    const bbipc_proof proof = good.view();
    const std::uint8_t* const key = good.key.data();
    const std::uint64_t length = good.key.size();
    constexpr const char* text = "null pointer";

    bbipc_verdict verdict;
    const auto refused = [&](const bbipc_core* c, const bbipc_proof* p, const std::uint8_t* k) {
        verdict = stale_verdict();
        bbipc_verify(c, p, k, length, 0, 1, nullptr, &verdict);
        bool all = is_error(verdict, BBIPC_PART_NONE, -1, text);
        verdict = stale_verdict();
        const Claim claim(bbipc_reduce(c, p, k, length, 0, nullptr), bbipc_claim_free);
        const bbipc_claim* const claims[] = {claim.get()};
        bbipc_check(core.get(), claims, 1, 1, nullptr, &verdict);
        all = all && is_error(verdict, BBIPC_PART_NONE, -1, text);
        if (p == nullptr) return all;
        verdict = stale_verdict();
        bbipc_verify_many(c, p, &k, &length, 1, 0, 1, nullptr, &verdict);
        all = all && is_error(verdict, BBIPC_PART_NONE, -1, text);
        bbipc_claim* made = nullptr;
        bbipc_reduce_many(c, p, &k, &length, 1, 0, nullptr, &made);
        verdict = stale_verdict();
        bbipc_check(core.get(), &made, 1, 1, nullptr, &verdict);
        bbipc_claim_free(made);
        return all && is_error(verdict, BBIPC_PART_NONE, -1, text);
    };
    CHECK(refused(nullptr, &proof, key) && refused(core.get(), nullptr, key) && refused(core.get(), &proof, nullptr));
    for (std::size_t part = 0; part < 5; ++part) {
        bbipc_proof torn = proof;
        torn.part[part] = nullptr;
        CHECK(refused(core.get(), &torn, key));
        Bytes out(40000);
        verdict = stale_verdict();
        CHECK(bbipc_proof_compress(core.get(), &torn, out.data(), out.size(), &verdict) == BBIPC_BAD_ARGUMENT);
        CHECK(is_error(verdict, BBIPC_PART_NONE, -1, text));
    }
    // In a batch, too, wherever it stands, and lists that are not there.
    const auto batch_refused = [&](const bbipc_proof* proofs, const std::uint8_t* const* keys, const std::uint64_t* lengths) {
        bbipc_verdict results[3] = {stale_verdict(), stale_verdict(), stale_verdict()};
        bbipc_verify_many(core.get(), proofs, keys, lengths, 3, 0, 1, nullptr, results);
        bool all = std::all_of(std::begin(results), std::end(results),
                               [&](const bbipc_verdict& v) { return is_error(v, BBIPC_PART_NONE, -1, text); });
        bbipc_claim* made[3] = {};
        bbipc_reduce_many(core.get(), proofs, keys, lengths, 3, 0, nullptr, made);
        for (bbipc_claim* const one : made) {
            verdict = stale_verdict();
            bbipc_check(core.get(), &one, 1, 1, nullptr, &verdict);
            bbipc_claim_free(one);
            all = all && is_error(verdict, BBIPC_PART_NONE, -1, text);
        }
        return all;
    };
    const bbipc_proof whole_proofs[3] = {proof, proof, proof};
    const std::uint8_t* const whole_keys[3] = {key, key, key};
    const std::uint64_t whole_lengths[3] = {length, length, length};
    CHECK(batch_refused(nullptr, whole_keys, whole_lengths) && batch_refused(whole_proofs, nullptr, whole_lengths) &&
          batch_refused(whole_proofs, whole_keys, nullptr));
    for (std::size_t at = 0; at < 3; ++at) {
        for (const std::size_t part : {0, 4}) {
            bbipc_proof torn[3] = {proof, proof, proof};
            torn[at].part[part] = nullptr;
            CHECK(batch_refused(torn, whole_keys, whole_lengths));
        }
        const std::uint8_t* keys[3] = {key, key, key};
        keys[at] = nullptr;
        CHECK(batch_refused(whole_proofs, keys, whole_lengths));
    }
    bbipc_verify(core.get(), &proof, key, length, 0, 1, nullptr, nullptr);
    bbipc_verify_many(core.get(), &proof, &key, &length, 1, 0, 1, nullptr, nullptr);
    bbipc_check(core.get(), nullptr, 1, 1, nullptr, nullptr);

    // A claim that is null is an error, and the others are decided.
    const Claim claim(bbipc_reduce(core.get(), &proof, key, length, 0, nullptr), bbipc_claim_free);
    const bbipc_claim* const claims[] = {nullptr, claim.get()};
    bbipc_verdict verdicts[] = {stale_verdict(), stale_verdict()};
    bbipc_check(core.get(), claims, 2, 1, nullptr, verdicts);
    CHECK(is_error(verdicts[0], BBIPC_PART_NONE, -1, text) && is_valid(verdicts[1]));
    // So is one that could not be made.
    const Claim failed(bbipc_reduce(core.get(), &proof, nullptr, length, 0, nullptr), bbipc_claim_free);
    const bbipc_claim* const mixed[] = {failed.get(), claim.get(), nullptr, failed.get(), claim.get()};
    bbipc_verdict results[] = {stale_verdict(), stale_verdict(), stale_verdict(), stale_verdict(), stale_verdict()};
    bbipc_check(core.get(), mixed, 5, 1, nullptr, results);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(mixed[i] == claim.get() ? is_valid(results[i]) : is_error(results[i], BBIPC_PART_NONE, -1, text));
    }
    for (bbipc_verdict& v : verdicts) v = stale_verdict();
    bbipc_check(core.get(), nullptr, 2, 1, nullptr, verdicts);
    for (const bbipc_verdict& v : verdicts) CHECK(is_error(v, BBIPC_PART_NONE, -1, text));
    for (bbipc_verdict& v : verdicts) v = stale_verdict();
    bbipc_check(nullptr, claims, 2, 1, nullptr, verdicts);
    for (const bbipc_verdict& v : verdicts) CHECK(is_error(v, BBIPC_PART_NONE, -1, text));

    std::uint64_t words[3] = {}, count[5] = {};
    std::uint8_t hash[32] = {}, wide[128] = {};
    std::int32_t is_one = 7;
    CHECK(bbipc_key_inspect(core.get(), nullptr, length, words, hash, &verdict) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_key_inspect(core.get(), key, length, nullptr, hash, &verdict) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_key_inspect(core.get(), key, length, words, hash, nullptr) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_proof_split(good.total(), 0, nullptr, &verdict) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_proof_split(good.total(), 0, count, nullptr) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_proof_decompress(core.get(), nullptr, 32, wide, 0, &verdict) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_field_op(core.get(), BBIPC_FR, BBIPC_ADD, hash, nullptr, hash) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_field_op(nullptr, BBIPC_FR, BBIPC_ADD, hash, hash, hash) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_add(core.get(), BBIPC_G1, wide, nullptr, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_mul(core.get(), BBIPC_G1, nullptr, hash, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_msm(core.get(), BBIPC_G1, nullptr, nullptr, 1, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_batch_mul(core.get(), BBIPC_G1, wide, nullptr, 1, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_generators_msm(core.get(), nullptr, 1, 1, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_generators(core.get(), 0, 1, nullptr) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_g2_mul(core.get(), nullptr, hash, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_pairing(core.get(), nullptr, wide, 1, &is_one, nullptr) == BBIPC_BAD_ARGUMENT && is_one == 0);
    CHECK(bbipc_pairing(core.get(), wide, wide, 0, nullptr, nullptr) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_g1_decompress(core.get(), hash, 1, 1, wide, nullptr) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_points_check(core.get(), BBIPC_G1, nullptr, 1, 1, words) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_g1_combine_neighbours(core.get(), wide, 2, 1, nullptr, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_poseidon2_permute(core.get(), nullptr, wide) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_poseidon2_hash(core.get(), nullptr, 1, hash) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_poseidon2_absorb(core.get(), wide, nullptr, 3) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_poseidon2_hash_many(core.get(), nullptr, &length, 1, hash) == BBIPC_BAD_ARGUMENT);
    bbipc_answer_rules rules = {};
    bbipc_answered answered = {};
    answered.produced = 9;
    bbipc_answer_frames(nullptr, &rules, hash, 32, wide, 128, &answered);
    CHECK(answered.produced == 0 && answered.consumed == 0);
    bbipc_answer_message(core.get(), nullptr, hash, 32, wide, 128, &answered);
    bbipc_answer_message(core.get(), &rules, hash, 32, wide, 128, nullptr);
    CHECK(bbipc_ring_take(nullptr, wide, 128, words) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_ring_put(nullptr, wide, 128, words) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_ring_wait_for_data(nullptr, 0) == BBIPC_BAD_ARGUMENT &&
          bbipc_ring_wait_for_room(nullptr, 0, 0) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_ring_fault(nullptr) == nullptr && bbipc_ring_max_message(nullptr) == 0 && bbipc_core_arith(nullptr) == 0);
    bbipc_ring_free(nullptr), bbipc_ring_publish(nullptr), bbipc_ring_interrupt(nullptr, 1);
    bbipc_lane_free(nullptr), bbipc_lane_interrupt(nullptr, 1), bbipc_lane_take_counts(nullptr, nullptr);
    bbipc_lane_serve(nullptr, core.get(), &rules, 0, 1, 0, 0, nullptr);
}

// More keys than the cache holds; the first one comes back.
void test_key_cache(const Core& core, const Input& good) {
    const Rule rule("03.1, a key that is kept is the key");
    std::uint64_t words[3];
    std::uint8_t hash[32], first_hash[32];
    bbipc_verdict verdict;
    Bytes key = good.key;
    for (unsigned n = 0; n <= 300; ++n) {
        key[30] = static_cast<std::uint8_t>(n % 300 >> 8), key[31] = static_cast<std::uint8_t>(n % 300);
        verdict = stale_verdict();
        CHECK(bbipc_key_inspect(core.get(), key.data(), key.size(), words, hash, &verdict) == BBIPC_OK && is_zeroed(verdict));
        CHECK(words[0] == n % 300);
        if (n == 0) std::copy_n(hash, 32, first_hash);
        CHECK((std::memcmp(hash, first_hash, 32) == 0) == (n % 300 == 0));
    }
    CHECK(is_valid(verify(core, good)));
}

// ---- Encodings ----

void test_keys(const Core& core, const Input& good) {
    const Rule rule("03.1, keys");
    std::uint64_t words[3];
    std::uint8_t hash[32];
    bbipc_verdict verdict = stale_verdict();
    CHECK(bbipc_key_inspect(core.get(), good.key.data(), good.key.size(), words, hash, &verdict) == BBIPC_OK);
    CHECK(is_zeroed(verdict) && words[1] == good.count[0] - oink_words);
    verdict = stale_verdict();
    CHECK(bbipc_key_inspect(core.get(), good.key.data(), 3679, words, hash, &verdict) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_KEY, -1, "wrong size"));
}

void test_splitting(const Input& good) {
    const Rule rule("03.3, the split of a proof");
    std::uint64_t count[5];
    bbipc_verdict verdict = stale_verdict();
    const std::uint64_t public_inputs = good.total() - fixed_words;
    CHECK(bbipc_proof_split(good.total(), public_inputs, count, &verdict) == BBIPC_OK && is_zeroed(verdict));
    CHECK(std::equal(count, count + 5, good.count));
    CHECK(bbipc_proof_split(good.total(), public_inputs + 1, count, &verdict) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, -1, "wrong field count"));
    // A sum that wraps around 2^64.
    CHECK(bbipc_proof_split(1200, std::uint64_t{0} - 42, count, &verdict) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, -1, "at least 1242"));
}

void test_compression(const Core& core, const Input& good) {
    const Rule rule("03.5, compression");
    const std::uint64_t public_inputs = good.total() - fixed_words;
    Bytes small(32 * (697 + public_inputs)), flat(good.words.size());
    bbipc_verdict verdict = stale_verdict();
    const auto compress = [&](const Input& input) {
        const bbipc_proof proof = input.view();
        return bbipc_proof_compress(core.get(), &proof, small.data(), small.size(), &verdict);
    };
    const auto decompress = [&](const Bytes& in) {
        return bbipc_proof_decompress(core.get(), in.data(), in.size(), flat.data(), flat.size(), &verdict);
    };
    CHECK(compress(good) == BBIPC_OK && is_zeroed(verdict));
    CHECK(decompress(small) == BBIPC_OK && is_zeroed(verdict) && flat == good.words);
    const Bytes compressed = small;

    // Points at infinity stay what they are, and scalars at the top of their range too.
    const Input edge = changed(good, [](Input& i) {
        i.remove_g1(1, 0);
        std::fill_n(i.word(2, 0), 64, std::uint8_t{0});
        U256 top;
        sub_borrow(top, Fr::modulus, U256{{1, 0, 0, 0}});
        store_be(i.word(0, 0), top);
    });
    CHECK(compress(edge) == BBIPC_OK && decompress(small) == BBIPC_OK && flat == edge.words);
    // The sign changes in the middle of the field: at the points whose y is nearest to it, (m - 1) / 2 - 2, and their negatives.
    constexpr Fq x = hex_element<Fq>("20900d1484d09a66195f76bb79d1b25741388134e30b67d2af4d2876b8f6f8c8");
    constexpr Fr grumpkin_x = hex_element<Fr>("23c1596db5eede6d0db646c77a4eeac26ede237794b5e46423ab2134f8b30272");
    const Fq y = Fq::from_int(Fq::modulus.shifted_right(1)) - Fq::from_u64(2);
    const Fr grumpkin_y = Fr::from_int(Fr::modulus.shifted_right(1)) - Fr::from_u64(2);
    CHECK((G1{x, y}).is_on_curve() && (Grumpkin{grumpkin_x, grumpkin_y}).is_on_curve());
    for (const bool upper : {false, true}) {
        const Input middle = changed(good, [&](Input& i) {
            const FqLimbs x_limbs = split_fq(x.to_int()), y_limbs = split_fq((upper ? -y : y).to_int());
            std::uint64_t at = 0;
            for (const U256& limb : {x_limbs.lo, x_limbs.hi, y_limbs.lo, y_limbs.hi}) store_be(i.word(1, at++), limb);
            store_be(i.word(2, 0), grumpkin_x.to_int());
            store_be(i.word(2, 1), (upper ? -grumpkin_y : grumpkin_y).to_int());
        });
        CHECK(compress(middle) == BBIPC_OK);
        for (const std::uint64_t word : {public_inputs + 12, public_inputs + 12 + 20})
            CHECK(small[32 * word] >> 7 == (upper ? 1 : 0));
        CHECK(decompress(small) == BBIPC_OK && flat == middle.words);
    }

    CHECK(compress(changed(good, [](Input& i) { ++i.count[1], --i.count[2]; })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_MERGE, -1, "expected 41, got 42"));
    CHECK(compress(changed(good, [](Input& i) { i.count[0] = 47; })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_HIDING_OINK, -1, "at least 48, got 47"));
    CHECK(compress(changed(good, [](Input& i) { std::fill_n(i.word(4, 5), 32, std::uint8_t{0xff}); })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_JOINT, 5, "fr::modulus"));
    CHECK(compress(changed(good, [](Input& i) { i.word(1, 3)[0] = 1; })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_MERGE, 3, "high limb"));
    CHECK(compress(changed(good, [](Input& i) { i.word(1, 2)[0] = 1; })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_MERGE, 2, "low limb"));
    CHECK(compress(changed(good, [](Input& i) { i.word(1, 0)[0] = i.word(1, 2)[0] = 1; })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_MERGE, 0, "low limb"));  // the first of two errors
    CHECK(compress(changed(good, [](Input& i) { i.word(1, 0)[0] = 1; })) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_MERGE, 0, "low limb"));
    // Each part has its own length, the last one, too.
    constexpr std::int32_t ids[5] = {BBIPC_PART_HIDING_OINK, BBIPC_PART_MERGE, BBIPC_PART_ECCVM, BBIPC_PART_IPA,
                                     BBIPC_PART_JOINT};
    for (std::size_t part = 1; part < 5; ++part) {
        CHECK(compress(changed(good, [part](Input& i) { --i.count[part]; })) == BBIPC_BAD_ENCODING);
        CHECK(is_error(verdict, ids[part], -1, "wrong size"));
    }
    const bbipc_proof proof = good.view();
    CHECK(bbipc_proof_compress(core.get(), &proof, small.data(), small.size() - 32, &verdict) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, -1, "output buffer"));

    const auto with_word = [&](std::size_t index, const U256& value) {
        Bytes bytes = compressed;
        store_be(&bytes[32 * index], value);
        return bytes;
    };
    CHECK(decompress(Bytes(compressed.begin(), compressed.end() - 1)) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, -1, "multiple of 32"));
    CHECK(decompress(Bytes(32 * 696)) == BBIPC_BAD_ENCODING && is_error(verdict, BBIPC_PART_FLAT, -1, "too short: 696"));
    CHECK(decompress(Bytes(32 * 697)) == BBIPC_BAD_ENCODING && is_error(verdict, BBIPC_PART_FLAT, -1, "output buffer"));
    const std::size_t eccvm = public_inputs + 12 + 20;
    CHECK(decompress(with_word(0, Fr::modulus)) == BBIPC_BAD_ENCODING && is_error(verdict, BBIPC_PART_FLAT, 0, "fr::modulus"));
    CHECK(decompress(with_word(eccvm + 90, Fq::modulus)) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(eccvm) + 90, "fq::modulus"));
    CHECK(decompress(with_word(public_inputs, Fq::modulus)) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(public_inputs), "not below the modulus"));
    CHECK(decompress(with_word(eccvm, Fr::modulus)) == BBIPC_BAD_ENCODING);
    CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(eccvm), "not below the modulus"));
    CHECK(decompress(with_word(public_inputs, U256{{4, 0, 0, 0}})) == BBIPC_BAD_ENCODING);  // 4^3 + 3 is no square
    CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(public_inputs), "no point on the curve"));
    // The sign is bit 255 and nothing else, and infinity has none.
    constexpr u64 sign = u64{1} << 63;
    for (const std::size_t index : {std::size_t(public_inputs), eccvm}) {
        const U256& modulus = index == eccvm ? Fr::modulus : Fq::modulus;
        CHECK(decompress(with_word(index, U256{{0, 0, 0, sign}})) == BBIPC_BAD_ENCODING);
        CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(index), "no point on the curve"));
        CHECK(decompress(with_word(index, U256{{0, 0, 0, sign / 2}})) == BBIPC_BAD_ENCODING);
        CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(index), "not below the modulus"));
        CHECK(decompress(with_word(index, U256{{modulus.limb[0], modulus.limb[1], modulus.limb[2], modulus.limb[3] | sign}})) ==
              BBIPC_BAD_ENCODING);
        CHECK(is_error(verdict, BBIPC_PART_FLAT, std::int64_t(index), "not below the modulus"));
    }
}

void test_path(std::int32_t arith, const Setup& setup, const std::vector<Input>& proofs) {
    const Core core = make_core(arith, setup.g2_x.data(), setup.translator_key.data());
    CHECK(core != nullptr);
    const Input& good = proofs[0];
    for (const bbipc_verdict& v : verify_many(core, proofs, 1)) CHECK(is_valid(v));
    test_every_end(core, good);
    test_strict(core, good);
    test_cancellation(core, good, changed(good, [](Input& i) { i.increment(1, 24); }));
    test_contexts(arith, setup, core, good);
    test_numbers();
    test_null_pointers(core, good);
    test_key_cache(core, good);
    test_keys(core, good);
    test_splitting(good);
    test_compression(core, good);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    const bbipc_verdict zeroed{};
    CHECK(zeroed.outcome == BBIPC_ERROR);
    CHECK(BBIPC_ERROR != BBIPC_VALID && BBIPC_VALID != BBIPC_INVALID && BBIPC_VALID != BBIPC_CANCELLED);

    Setup setup;
    std::vector<Input> proofs;
    for (const TestCase& test : CaseFile(argv[1]).cases) {
        if (test.kind == "setup") setup = {test.bytes("g2_x"), test.bytes("translator_key")};
        if (test.kind == "proof") proofs.push_back(read_input(test));
    }
    CHECK(proofs.size() == 2);
    for (const std::int32_t arith : paths_under_test()) test_path(arith, setup, proofs);
    return check_result();
}
