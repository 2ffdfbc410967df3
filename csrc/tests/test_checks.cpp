// Rules of the specification of which each has a test that only it makes fail: spelling of points and words, which error comes
// first, batches, cancellation.
// Argument: the file that tests/reference/capi_cases.py writes.
#include <algorithm>
#include <cstring>
#include <functional>

#include "../chonk/ipa/ipa.hpp"
#include "../chonk/keys/key_cache.hpp"
#include "../chonk/merge/merge.hpp"
#include "../chonk/proof/proof.hpp"
#include "../chonk/verify/reduce.hpp"
#include "../chonk/verify/verify.hpp"
#include "../field/sqrt.hpp"
#include "case_file.hpp"
#include "check.hpp"
#include "paths.hpp"
#include "random_elements.hpp"

using namespace bbipc;

namespace {

using Bytes = std::vector<std::uint8_t>;

U256 power_of_two(unsigned bit) {
    U256 value{};
    value.limb[bit / 64] = u64{1} << bit % 64;
    return value;
}

U256 sum(const U256& a, const U256& b) {
    U256 out;
    add_carry(out, a, b);
    return out;
}

// ---- Spelling of points (chapter 02 section 3) ----

DecodeError decode(const U256 (&limbs)[4], G1& point, unsigned& failed) {
    failed = 77;
    return decode_g1(limbs, point, failed);
}

void test_points() {
    const Rule rule("02.3, spelling of points");
    RandomElements random(1);
    unsigned failed = 0;
    G1 point;
    const G1 p = random.point<G1Curve>();
    const FqLimbs x = split_fq(p.x.to_int()), y = split_fq(p.y.to_int());
    const U256 good[4] = {x.lo, x.hi, y.lo, y.hi};
    CHECK(decode(good, point, failed) == DecodeError::none && point == p && failed == 0);

    // Infinity is four zeros and nothing else: no three, two or one of them.
    for (unsigned set = 0; set < 16; ++set) {
        for (const U256& value : {U256{{1, 0, 0, 0}}, power_of_two(64), power_of_two(117)}) {
            U256 limbs[4];
            for (unsigned i = 0; i < 4; ++i) limbs[i] = (set >> i & 1) != 0 ? value : U256{};
            const DecodeError error = decode(limbs, point, failed);
            CHECK(set == 0 ? error == DecodeError::none && point.is_infinity()
                           : error != DecodeError::none || !point.is_infinity());
        }
    }
    // (0, y) and (x, 0) are points like others: on the curve or refused. No point has y = 0.
    for (unsigned n = 0; n < 40; ++n) {
        const Fq v = n < 20 ? Fq::from_u64(n + 1) : random.element<Fq>();
        const FqLimbs limbs = split_fq(v.to_int());
        const U256 only_y[4] = {{}, {}, limbs.lo, limbs.hi}, only_x[4] = {limbs.lo, limbs.hi, {}, {}};
        CHECK(decode(only_y, point, failed) == (v.sqr() == Fq::from_u64(3) ? DecodeError::none : DecodeError::not_on_curve));
        CHECK(decode(only_x, point, failed) == DecodeError::not_on_curve && failed == 0);
        CHECK(!(G1{Fq::zero(), v}).is_infinity() && !(G1{v, Fq::zero()}).is_infinity());
        CHECK((G1{Fq::zero(), v}).is_on_curve() == (v.sqr() == Fq::from_u64(3)) && !(G1{v, Fq::zero()}).is_on_curve());
        const Fr w = n < 20 ? Fr::from_u64(n + 1) : random.element<Fr>();
        CHECK(!(Grumpkin{Fr::zero(), w}).is_infinity() && !(Grumpkin{w, Fr::zero()}).is_infinity());
        CHECK((Grumpkin{Fr::zero(), w}).is_on_curve() == (w.sqr() == -Fr::from_u64(17)) &&
              !(Grumpkin{w, Fr::zero()}).is_on_curve());
        Fr root;
        if ((-Fr::from_u64(17)).sqrt(root)) CHECK((Grumpkin{Fr::zero(), root}).is_on_curve());
    }
    // Any bit above the width of a limb is refused, whatever stands below it, and names its limb.
    for (unsigned limb = 0; limb < 4; ++limb) {
        const bool low = limb % 2 == 0;
        const auto error = low ? DecodeError::low_limb_too_wide : DecodeError::high_limb_too_wide;
        for (unsigned bit = low ? 136 : 118; bit < 256; ++bit) {
            for (const bool zeros : {false, true}) {
                U256 limbs[4];
                for (unsigned i = 0; i < 4 && !zeros; ++i) limbs[i] = good[i];
                limbs[limb] = sum(limbs[limb], power_of_two(bit));
                CHECK(decode(limbs, point, failed) == error && failed == limb);
            }
        }
    }
    // x + q and y + q are other numbers than x and y.
    for (unsigned n = 0; n < 200; ++n) {
        const G1 q = n == 0 ? p : random.point<G1Curve>();
        for (const bool in_y : {false, true}) {
            const U256 value = sum((in_y ? q.y : q.x).to_int(), Fq::modulus);
            if (value.bit_length() > 254) continue;
            const FqLimbs wide = split_fq(value), rest = split_fq((in_y ? q.x : q.y).to_int());
            const U256 limbs[4] = {in_y ? rest.lo : wide.lo, in_y ? rest.hi : wide.hi, in_y ? wide.lo : rest.lo,
                                   in_y ? wide.hi : rest.hi};
            CHECK(decode(limbs, point, failed) == DecodeError::not_canonical && failed == (in_y ? 2u : 0u));
        }
    }
    Fq element;
    for (u64 k = 0; k < 3; ++k) {
        const FqLimbs limbs = split_fq(sum(Fq::modulus, U256{{k, 0, 0, 0}}));
        CHECK(decode_fq(limbs.lo, limbs.hi, element) == DecodeError::not_canonical);
    }
    const FqLimbs largest = split_fq((-Fq::one()).to_int());
    CHECK(decode_fq(largest.lo, largest.hi, element) == DecodeError::none && element == -Fq::one());
}

// A point that is read from a proof is on its curve, (0, y) and (x, 0) like all others (chapter 01 section 7).
void test_received_points() {
    const Rule rule("01.7, received points are on the curve");
    RandomElements random(53);
    for (unsigned n = 0; n < 40; ++n) {
        const Grumpkin p = random.point<GrumpkinCurve>();
        const G1 q = random.point<G1Curve>();
        const Fr zero = Fr::zero(), one = Fr::one();
        const std::pair<Fr, Fr> points[] = {{p.x, p.y},  {p.x, -p.y}, {p.x, p.y + one}, {p.x + one, p.y}, {zero, p.y},
                                            {p.x, zero}, {zero, one}, {one, zero},      {p.y, p.x},       {zero, zero}};
        for (const auto& [x, y] : points) {
            std::uint8_t words[64];
            x.to_bytes(words);
            y.to_bytes(words + 32);
            Transcript transcript;
            transcript.load(PartView{BBIPC_PART_ECCVM, words, 2});
            const Grumpkin received = transcript.receive_grumpkin();
            const bool good = (x.is_zero() && y.is_zero()) || y.sqr() == x.sqr() * x - Fr::from_u64(17);
            CHECK(transcript.failed() == !good && (!good || received == Grumpkin{x, y}));
            CHECK(good || (transcript.error().part == BBIPC_PART_ECCVM && transcript.error().position == 0));
        }
        const Fq none = Fq::zero(), unit = Fq::one();
        const std::pair<Fq, Fq> others[] = {{q.x, q.y},  {q.x, -q.y},  {q.x, q.y + unit}, {q.x + unit, q.y}, {none, q.y},
                                            {q.x, none}, {none, unit}, {unit, none},      {q.y, q.x},        {none, none}};
        for (const auto& [x, y] : others) {
            const FqLimbs a = split_fq(x.to_int()), b = split_fq(y.to_int());
            std::uint8_t words[128];
            std::uint8_t* next = words;
            for (const U256& limb : {a.lo, a.hi, b.lo, b.hi}) store_be(next, limb), next += 32;
            Transcript transcript;
            transcript.load(PartView{BBIPC_PART_MERGE, words, 4});
            const G1 received = transcript.receive_g1();
            const bool good = (x.is_zero() && y.is_zero()) || y.sqr() == x.sqr() * x + Fq::from_u64(3);
            CHECK(transcript.failed() == !good && (!good || received == G1{x, y}));
            CHECK(good || (transcript.error().part == BBIPC_PART_MERGE && transcript.error().position == 0));
        }
    }
}

// ---- A proof that can be edited ----

struct Input {
    Bytes words, key;
    u64 count[5];

    explicit Input(const TestCase& test) : words(test.bytes("fields")), key(test.bytes("vk")) {
        FormatError error;
        CHECK(split_lengths(words.size() / 32, words.size() / 32 - fixed_length, count, error));
    }
    std::uint8_t* word(unsigned part, u64 index) {
        u64 start = 0;
        for (unsigned i = 0; i < part; ++i) start += count[i];
        return &words[32 * (start + index)];
    }
    void add(unsigned part, u64 index, const U256& value) {
        std::uint8_t* const at = word(part, index);
        store_be(at, sum(load_be(at), value));
    }
    bbipc_proof view() const {
        bbipc_proof proof{};
        const std::uint8_t* next = words.data();
        for (unsigned i = 0; i < 5; ++i) {
            proof.part[i] = next;
            proof.count[i] = count[i];
            next += 32 * count[i];
        }
        return proof;
    }
};

bbipc_verdict verify(const Core& core, const Input& input, std::uint32_t flags = 0) {
    bbipc_verdict verdict{};
    verdict.outcome = BBIPC_VALID;
    const bbipc_proof proof = input.view();
    bbipc_verify(core.get(), &proof, input.key.data(), input.key.size(), flags, 1, nullptr, &verdict);
    return verdict;
}

template <class Change>
Input changed(Input input, const Change& change) {
    change(input);
    return input;
}

bool is_error(const bbipc_verdict& v, std::int32_t part, std::int64_t position, const char* text = "") {
    char place[32];  // the message names it, too
    std::snprintf(place, sizeof place, "[%lld]", static_cast<long long>(position));
    const bool ok = v.outcome == BBIPC_ERROR && v.part == part && v.position == position && std::strstr(v.message, text) &&
                    (position < 0 || std::strstr(v.message, "too short") || std::strstr(v.message, place));
    if (!ok) {
        std::fprintf(stderr, "  outcome %d step %d part %d position %ld: %s\n", v.outcome, v.step, v.part, long(v.position),
                     v.message);
    }
    return ok;
}

constexpr std::int32_t part_ids[5] = {BBIPC_PART_HIDING_OINK, BBIPC_PART_MERGE, BBIPC_PART_ECCVM, BBIPC_PART_IPA,
                                      BBIPC_PART_JOINT};

// Every word is below r: the first, the last and any between them, of every part (chapter 00 section 3).
void test_words(const Core& core, const Input& good) {
    const Rule rule("00.3, words below r");
    for (unsigned part = 0; part < 5; ++part) {
        for (const u64 index : {u64{0}, good.count[part] / 2, good.count[part] - 1}) {
            for (const U256& value :
                 {Fr::modulus, sum(Fr::modulus, U256{{1, 0, 0, 0}}), U256{{~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}}}}) {
                const Input bad = changed(good, [&](Input& i) { store_be(i.word(part, index), value); });
                CHECK(is_error(verify(core, bad), part_ids[part], std::int64_t(index), "fr::modulus"));
            }
        }
        // A word plus r is the same element, and refused all the same.
        const u64 last = good.count[part] - 1;
        CHECK(is_error(verify(core, changed(good, [&](Input& i) { i.add(part, last, Fr::modulus); })), part_ids[part],
                       std::int64_t(last), "fr::modulus"));
    }
}

// Under `strict` each part has its own length (chapter 00 section 6): no pair of wrong ones makes up for each other.
void test_strict(const Core& core, const Input& good) {
    const Rule rule("00.6, strict: one form only");
    CHECK(verify(core, good, BBIPC_STRICT).outcome == BBIPC_VALID);
    for (unsigned from = 0; from < 5; ++from) {
        for (unsigned to = 0; to < 5; ++to) {
            if (from == to) continue;
            const Input bad = changed(good, [&](Input& i) { --i.count[from], ++i.count[to]; });
            const unsigned first = std::min(from, to);
            CHECK(is_error(verify(core, bad, BBIPC_STRICT), part_ids[first], -1, "wrong size"));
            const Input empty = changed(good, [&](Input& i) { i.count[to] += i.count[from], i.count[from] = 0; });
            CHECK(is_error(verify(core, empty, BBIPC_STRICT), part_ids[first], -1, "wrong size"));
        }
    }
    for (std::size_t i = 0; i < 115; ++i) {  // each word of the key plus r: the same key, in another spelling
        Bytes key = good.key;
        const U256 wide = sum(load_be(&key[32 * i]), Fr::modulus);
        store_be(&key[32 * i], wide);
        Input bad = good;
        bad.key = key;
        CHECK(is_error(verify(core, bad, BBIPC_STRICT), BBIPC_PART_KEY, std::int64_t(i), "non-canonical"));
    }
    for (std::size_t i = 0; i < 115; ++i) {  // r itself, another spelling of 0
        Input bad = good;
        store_be(&bad.key[32 * i], Fr::modulus);
        CHECK(is_error(verify(core, bad, BBIPC_STRICT), BBIPC_PART_KEY, std::int64_t(i), "non-canonical"));
    }
    for (const unsigned bit : {5u, 31u, 32u, 50u, 63u}) {  // all 64 bits of the number of public inputs count
        Input bad = good;
        store_be(&bad.key[32], sum(load_be(&bad.key[32]), power_of_two(bit)));
        CHECK(is_error(verify(core, bad), BBIPC_PART_FLAT, -1, "proof has wrong size"));
    }
    for (const unsigned bit : {64u, 65u, 100u, 200u}) {
        for (std::size_t i = 0; i < 3; ++i) {
            Input bad = good;
            store_be(&bad.key[32 * i], sum(load_be(&bad.key[32 * i]), power_of_two(bit)));
            CHECK(is_error(verify(core, bad, BBIPC_STRICT), BBIPC_PART_KEY, std::int64_t(i), "non-canonical"));
            if (bit == 64) CHECK(verify(core, bad).outcome == BBIPC_VALID);  // the integers are truncated to 64 bits
        }
    }
    Bytes longer = good.key;
    longer.push_back(0);
    Input bad = good;
    bad.key = longer;
    for (const std::uint32_t flags : {0u, std::uint32_t{BBIPC_STRICT}}) {
        CHECK(is_error(verify(core, bad, flags), BBIPC_PART_KEY, -1, "wrong size"));
    }
}

// Every point and every scalar of two limbs is decoded, and of two errors the first is told (chapter 00 section 4).
void test_errors(const Core& core, const Input& good) {
    const Rule rule("00.4, the first reading error is told");
    const u64 inputs = good.count[0] - oink_fixed_length;
    struct Place {
        unsigned part;
        u64 index;
    };
    const Place in_order[] = {{0, inputs - 28}, {1, 0},         {1, 16},  {1, 33},  {1, 37},  {2, 0},   {2, 180},
                              {2, 272},         {2, 510},       {2, 544}, {2, 586}, {2, 602}, {2, 608}, {4, 0},
                              {4, 48},          {4, 131 + 154}, {4, 376}, {4, 384}, {4, 469}, {4, 473}, {3, 62}};
    const U256 wide = power_of_two(200);
    const auto spoilt = [&](Input input, const Place& place) {
        store_be(input.word(place.part, place.index), wide);
        return input;
    };
    const auto is_coordinate = [&](const Place& p) { return p.part == 2 && p.index == 0; };
    for (std::size_t a = 0; a < std::size(in_order); ++a) {
        const Place& first = in_order[a];
        const Input once = spoilt(good, first);
        const char* const text = is_coordinate(first) ? "not on the curve" : "low limb";
        CHECK(is_error(verify(core, once), part_ids[first.part], std::int64_t(first.index), text));
        for (const std::size_t b : {a + 1, std::size(in_order) - 1}) {
            if (b <= a || b >= std::size(in_order)) continue;
            CHECK(is_error(verify(core, spoilt(once, in_order[b])), part_ids[first.part], std::int64_t(first.index), text));
        }
        // An error is not forgotten when the elements run out.
        const Input shorter = changed(once, [&](Input& i) {
            if (first.part == 2) --i.count[4], ++i.count[3];
        });
        if (first.part == 2) CHECK(is_error(verify(core, shorter), part_ids[2], std::int64_t(first.index), text));
    }
    // Parts are one stream (chapter 00 section 6): an item that begins in one part and ends in the next is named where it begins,
    // and a part may be empty. What runs out of elements is an error, not a read of what follows in memory.
    const Input across = changed(good, [&](Input& i) {
        i.add(2, 1, U256{{1, 0, 0, 0}});
        ++i.count[1], --i.count[2];
    });
    CHECK(is_error(verify(core, across), BBIPC_PART_MERGE, 41, "not on the curve"));
    // But the first part says how many public inputs there are, and the key must agree, whether it is too long or too short.
    for (const u64 moved : {u64{1}, u64{3}, u64{40}, inputs}) {
        for (const bool longer : {false, true}) {
            const u64 by = longer ? moved : -moved;
            const Input other = changed(good, [&](Input& i) { i.count[0] += by, i.count[1] -= by; });
            const char* const text = !longer && moved > inputs ? "too short" : "number of public inputs";
            CHECK(is_error(verify(core, other), BBIPC_PART_HIDING_OINK, -1, text));
        }
    }
    const auto all_in_merge = [](Input& i) { i.count[1] += i.count[2], i.count[2] = 0; };
    CHECK(verify(core, changed(good, all_in_merge)).outcome == BBIPC_VALID);
    const Input too_short = changed(good, [&](Input& i) {
        all_in_merge(i);
        --i.count[1], ++i.count[3];
    });
    CHECK(is_error(verify(core, too_short), BBIPC_PART_ECCVM, 0, "too short"));
    // A high limb is to blame for itself.
    for (const Place& place : {Place{1, 1}, Place{1, 3}, Place{2, 181}, Place{4, 474}, Place{4, 476}}) {
        const Input bad = spoilt(good, place);
        CHECK(is_error(verify(core, bad), part_ids[place.part], std::int64_t(place.index), "high limb"));
    }
    // Every point of a key.
    for (std::size_t i = 0; i < 28; ++i) {
        Input bad = good;
        std::uint8_t* const x = &bad.key[32 * (3 + 4 * i)];
        store_be(x, sum(load_be(x), U256{{1, 0, 0, 0}}));
        CHECK(is_error(verify(core, bad), BBIPC_PART_KEY, std::int64_t(3 + 4 * i), "curve"));
        for (std::size_t limb = 0; limb < 4; ++limb) {
            bad = good;
            store_be(&bad.key[32 * (3 + 4 * i + limb)], power_of_two(limb % 2 == 0 ? 136 : 118));
            CHECK(is_error(verify(core, bad), BBIPC_PART_KEY, std::int64_t(3 + 4 * i + limb), "limb"));
        }
    }
    // Each of the seven points in the public inputs.
    for (u64 i = 0; i < 7; ++i) {
        const Input bad = changed(good, [&](Input& in) { in.add(0, inputs - 28 + 4 * i + 2, U256{{1, 0, 0, 0}}); });
        CHECK(is_error(verify(core, bad), BBIPC_PART_HIDING_OINK, std::int64_t(inputs - 28 + 4 * i), "curve"));
    }
}

// Of two faults the one that comes first in the flow decides (chapter 00 sections 4 and 5), though pairings are decided last: errors
// of reading a part before its checks, and those before the next part.
void test_precedence(const Core& core, const Input& good) {
    const Rule rule("00.5, the first failing step decides");
    struct Fault {
        std::int32_t outcome, step, part;
        std::int64_t position;
        std::function<void(Input&)> change;
    };
    const u64 inputs = good.count[0] - oink_fixed_length;
    const auto invalid = [](std::int32_t step, unsigned part, u64 index, const std::vector<u64>& words) {
        return Fault{BBIPC_INVALID, step, BBIPC_PART_NONE, -1, [=](Input& i) {
                         for (std::size_t k = 0; k < words.size(); ++k)
                             store_be(i.word(part, index + k), U256{{words[k], 0, 0, 0}});
                     }};
    };
    const auto added = [](std::int32_t step, unsigned part, u64 index) {
        return Fault{BBIPC_INVALID, step, BBIPC_PART_NONE, -1, [=](Input& i) { i.add(part, index, U256{{1, 0, 0, 0}}); }};
    };
    const auto unreadable = [](std::int32_t step, unsigned part, u64 index, const U256& word) {
        return Fault{BBIPC_ERROR, step, part_ids[part], static_cast<std::int64_t>(index),
                     [=](Input& i) { store_be(i.word(part, index), word); }};
    };
    const U256 wide = power_of_two(200);
    const std::vector<u64> generator{1, 0, 2, 0};  // x.lo, x.hi, y.lo, y.hi
    const Fault faults[] = {
        unreadable(BBIPC_STEP_NONE, 3, 63, Fr::modulus),
        unreadable(BBIPC_STEP_OINK, 0, inputs, wide),
        unreadable(BBIPC_STEP_OINK, 0, inputs - 4, wide),
        invalid(BBIPC_STEP_PI_PAIRING, 0, inputs - 28, generator),
        invalid(BBIPC_STEP_DATABUS, 0, inputs + 28, generator),
        unreadable(BBIPC_STEP_MERGE_REDUCTION, 1, 0, wide),
        added(BBIPC_STEP_MERGE_REDUCTION, 1, 20),
        invalid(BBIPC_STEP_MERGE_PAIRING, 1, 37, generator),
        unreadable(BBIPC_STEP_ECCVM, 2, 0, wide),
        added(BBIPC_STEP_ECCVM, 2, 180),
        unreadable(BBIPC_STEP_JOINT_REDUCTION, 4, 0, wide),
        added(BBIPC_STEP_JOINT_REDUCTION, 4, 52),
        invalid(BBIPC_STEP_JOINT_PAIRING, 4, 473, generator),
        unreadable(BBIPC_STEP_IPA, 3, 0, wide),
        added(BBIPC_STEP_IPA, 3, 62),
    };
    for (const Fault& first : faults) {
        for (const Fault* second = &first; second != std::end(faults); ++second) {
            const Input bad = changed(changed(good, second->change), first.change);
            const bbipc_verdict v = verify(core, bad);
            CHECK(v.outcome == first.outcome && v.step == first.step && v.part == first.part && v.position == first.position);
        }
    }
}

// The pairing of the public inputs is checked whichever of its points is infinite; if both are, it holds (chapter 00 section 5, step 3).
void test_public_pairing(const Core& core, const Input& good) {
    const Rule rule("00.5 step 3, e(P0, [1]_2) e(P1, [x]_2) = 1");
    const u64 p0 = good.count[0] - oink_fixed_length - 28, p1 = p0 + 4;
    const std::vector<U256> infinity(4), generator{U256{{1, 0, 0, 0}}, {}, U256{{2, 0, 0, 0}}, {}};
    const auto with = [&](const std::vector<U256>& first, const std::vector<U256>& second) {
        Input input = good;
        for (u64 k = 0; k < 4; ++k) {
            store_be(input.word(0, p0 + k), first[k]);
            store_be(input.word(0, p1 + k), second[k]);
        }
        return verify(core, input);
    };
    for (const auto& [first, second] : {std::pair{infinity, generator}, {generator, infinity}, {generator, generator}}) {
        const bbipc_verdict v = with(first, second);
        CHECK(v.outcome == BBIPC_INVALID && v.step == BBIPC_STEP_PI_PAIRING);
    }
    const bbipc_verdict v = with(infinity, infinity);  // what follows has other public inputs
    CHECK(v.outcome == BBIPC_INVALID && v.step != BBIPC_STEP_PI_PAIRING && v.step != BBIPC_STEP_DATABUS);
}

// No check of the merge part is left out where one of its points is infinite (chapter 06).
void test_infinite_merge_points(const Core& core, const Input& good) {
    const Rule rule("06, checks C and D and the pairing with infinite points");
    for (const u64 index : {0, 4, 8, 12, 16, 33, 37}) {  // M_0 .. M_3, G, Q, W
        Input bad = good;
        std::fill_n(bad.word(1, index), 4 * 32, std::uint8_t{0});
        const bbipc_verdict v = verify(core, bad);
        CHECK(v.outcome == BBIPC_INVALID);
        CHECK(v.step == (index < 20 ? BBIPC_STEP_MERGE_REDUCTION : BBIPC_STEP_MERGE_PAIRING));
    }
}

// The commitment to the calldata is what the previous kernel returned, point for point (chapter 00 section 5, step 4): neither infinity
// nor the opposite point stands for it.
void test_databus(const Core& core, const Input& good) {
    const Rule rule("00.5 step 4, KERNEL_CALLDATA = kernel_return_data");
    const u64 inputs = good.count[0] - oink_fixed_length, calldata = inputs + 28, returned = inputs - 28 + 8;
    const auto infinite = [](Input input, u64 index) {
        std::fill_n(input.word(0, index), 4 * 32, std::uint8_t{0});
        return input;
    };
    const auto opposite = [](Input input, u64 index) {
        G1 point;
        unsigned failed = 0;
        const auto limb = [&](u64 i) { return load_be(input.word(0, index + i)); };
        CHECK(decode_g1({limb(0), limb(1), limb(2), limb(3)}, point, failed) == DecodeError::none && !point.is_infinity());
        const FqLimbs y = split_fq((-point.y).to_int());
        store_be(input.word(0, index + 2), y.lo);
        store_be(input.word(0, index + 3), y.hi);
        return input;
    };
    // A point with the same y: (w x, y) with w^3 = 1.
    const auto turned = [](Input input, u64 index, bool twice) {
        Fq w, x;
        CHECK((-Fq::from_u64(3)).sqrt(w));
        w = (w - Fq::one()) * Fq::from_u64(2).inverse();
        CHECK(w != Fq::one() && w * w * w == Fq::one());
        CHECK(decode_fq(load_be(input.word(0, index)), load_be(input.word(0, index + 1)), x) == DecodeError::none);
        const FqLimbs limbs = split_fq((x * (twice ? w * w : w)).to_int());
        store_be(input.word(0, index), limbs.lo);
        store_be(input.word(0, index + 1), limbs.hi);
        return input;
    };
    for (const u64 index : {calldata, returned}) {
        for (const Input& bad :
             {infinite(good, index), opposite(good, index), turned(good, index, false), turned(good, index, true)}) {
            const bbipc_verdict v = verify(core, bad);
            CHECK(v.outcome == BBIPC_INVALID && v.step == BBIPC_STEP_DATABUS);
        }
    }
    for (const Input& same : {infinite(infinite(good, calldata), returned), opposite(opposite(good, calldata), returned)}) {
        const bbipc_verdict v = verify(core, same);  // they agree; what follows does not
        CHECK(v.outcome == BBIPC_INVALID && v.step != BBIPC_STEP_DATABUS && v.step != BBIPC_STEP_PI_PAIRING);
    }
}

// The length is the sum modulo 2^64 (chapter 03 section 3), and a proof never has fewer elements than its parts.
void test_lengths() {
    const Rule rule("03.3, the split of a proof");
    u64 lengths[5];
    FormatError error;
    CHECK(split_lengths(fixed_length, 0, lengths, error) && lengths[0] == oink_fixed_length);
    const auto is_of_the_whole = [&error] {
        return error.part == BBIPC_PART_FLAT && error.position == -1 && error.message[0] != 0;
    };
    for (const u64 total : {u64{0}, u64{1}, fixed_length - 1}) {
        error = FormatError{};
        CHECK(!split_lengths(total, total - fixed_length, lengths, error) && is_of_the_whole());
    }
    for (const u64 total : {fixed_length, fixed_length + 5, ~u64{0}}) {
        CHECK(split_lengths(total, total - fixed_length, lengths, error));
        CHECK(lengths[0] + lengths[1] + lengths[2] + lengths[3] + lengths[4] == total);
        for (const u64 wrong : {total - 1, total + 1, total + (u64{1} << 32), total - (u64{1} << 32), total + (u64{1} << 63)}) {
            error = FormatError{};
            CHECK(!split_lengths(wrong, total - fixed_length, lengths, error) && is_of_the_whole());
        }
    }
}

// The first three words of a key are sizes, of 64 bits at most in the one strict form, and are read whole (chapter 03 section 1).
void test_key_sizes(const Input& good) {
    const Rule rule("03.1, the sizes in a key");
    Key key;
    FormatError error;
    for (std::size_t i = 0; i < 3; ++i) {
        const U256 sizes[] = {U256{}, power_of_two(63), U256{{~u64{0}, 0, 0, 0}}, power_of_two(64), power_of_two(200)};
        for (const U256& size : sizes) {
            Bytes bytes = good.key;
            store_be(&bytes[32 * i], size);
            CHECK(decode_key(bytes.data(), bytes.size(), key, error));
            CHECK((i == 0 ? key.log_circuit_size : i == 1 ? key.num_public_inputs : key.pub_inputs_offset) == size.limb[0]);
            error = FormatError{};
            CHECK(key_is_canonical(bytes.data(), bytes.size(), error) == (size.bit_length() <= 64));
            CHECK(size.bit_length() <= 64 || (error.part == BBIPC_PART_KEY && error.position == std::int64_t(i)));
        }
    }
}

// Each commitment of a key may be infinity (chapter 03 section 1), which concerns no other.
void test_infinite_commitments(const Input& good) {
    const Rule rule("03.1, infinity is allowed in a key");
    Key whole, key;
    FormatError error;
    CHECK(decode_key(good.key.data(), good.key.size(), whole, error));
    for (std::size_t i = 0; i < key_commitments; ++i) {
        Bytes bytes = good.key;
        std::fill_n(&bytes[32 * (3 + 4 * i)], 4 * 32, std::uint8_t{0});
        CHECK(decode_key(bytes.data(), bytes.size(), key, error) && key.hash != whole.hash);
        for (std::size_t k = 0; k < key_commitments; ++k) {
            CHECK(k == i ? key.commitments[k].is_infinity() : key.commitments[k] == whole.commitments[k]);
        }
    }
}

// A cache holds the most recently used keys, as many as it says; what it has dropped is decoded again.
void test_kept_keys(const Input& good) {
    const Rule rule("03.1, a key that is kept is the key, the least recently used goes first");
    KeyCache cache;
    const auto get = [&](u64 n) {
        Bytes bytes = good.key;
        store_be(bytes.data(), U256{{n, 0, 0, 0}});
        FormatError error;
        const auto key = cache.decode(bytes.data(), bytes.size(), false, error);
        CHECK(key != nullptr && key->log_circuit_size == n);
        return key;
    };
    std::vector<std::shared_ptr<const Key>> keys;
    for (u64 n = 0; n < KeyCache::capacity; ++n) keys.push_back(get(n));
    for (u64 n = 0; n < KeyCache::capacity; ++n) CHECK(get(n) == keys[n]);  // all of them are there
    for (u64 n = KeyCache::capacity; n < KeyCache::capacity + 5; ++n) {
        keys.push_back(get(n));
        CHECK(get(n) == keys[n]);
        CHECK(get(100) == keys[100]);  // in use all the time
    }
    for (u64 n = 5; n < keys.size(); ++n) CHECK(get(n) == keys[n]);
    for (u64 n = 0; n < 5; ++n) CHECK(get(n) != keys[n]);  // those drive out others
    for (u64 n = 0; n < 5; ++n) CHECK(keys[n].use_count() == 1);
}

// The key of the translator in the setup that is built in (chapter 10 section 3) is a point of the curve, and no other setup
// may have one that is not.
void test_built_in_setup() {
    const Rule rule("10.3, the translator's key of Aztec's setup");
    const G1 key = aztec_setup().translator_key;
    CHECK(key.is_on_curve() && !key.is_infinity());
}

// ---- Batches ----

constexpr std::int32_t steps[3] = {BBIPC_STEP_PI_PAIRING, BBIPC_STEP_MERGE_PAIRING, BBIPC_STEP_JOINT_PAIRING};

// Claims of one to four proofs, every subset of them bad, each at one or two of its pairing checks, some with a verdict of
// their own behind them: each is judged as it is alone.
void test_batches(const Setup& setup) {
    const Rule rule("00.7, a batch judges each claim as it is alone");
    RandomElements random(3);
    for (std::size_t count = 1; count <= 4; ++count) {
        for (unsigned bad = 0; bad < 1u << count; ++bad) {
            std::vector<Claim> claims(count);
            std::vector<const Claim*> pointers;
            std::vector<Rejection> expected;
            for (std::size_t i = 0; i < count; ++i) {
                Claim& claim = claims[i];
                claim.pairing_count = 3;
                for (std::size_t k = 0; k < 3; ++k) claim.pairings[k].step = steps[k];
                const FormatError error = FormatError::at(BBIPC_PART_IPA, 7, "an error");
                claim.rest = i % 2 == 0 ? Rejection::invalid(BBIPC_STEP_IPA) : Rejection::unreadable(error, BBIPC_STEP_IPA);
                expected.push_back(*claim.rest);
                if ((bad >> i & 1) != 0) {
                    const std::size_t k = random.word() % 3, also = random.word() % 3;
                    claim.pairings[k].p0.add(g1_generator(), Fr::one());
                    claim.pairings[also].p1 = g1_generator();
                    expected.back() = Rejection::invalid(steps[std::min(k, also)]);
                }
                pointers.push_back(&claim);
            }
            std::vector<Verdict> verdicts(count);
            check(setup, pointers, {}, Options{}, verdicts);
            for (std::size_t i = 0; i < count; ++i) {
                const bbipc_verdict &v = verdicts[i].as_c(), &e = expected[i].as_c();
                CHECK(v.outcome == e.outcome && v.step == e.step && v.position == e.position);
            }
        }
    }
}

// Claims that end early: with no pairing check, or with some, or cancelled. Each is judged as it is alone, whatever else is in the batch.
void test_unfinished_claims(const Setup& setup) {
    const Rule rule("00.7, a batch judges each claim as it is alone, also one that ended early");
    RandomElements random(17);
    for (unsigned round = 0; round < 60; ++round) {
        const std::size_t count = 1 + random.word() % 5;
        std::vector<Claim> claims(count);
        std::vector<const Claim*> pointers;
        std::vector<std::int32_t> expected;
        for (Claim& claim : claims) {
            claim.pairing_count = random.word() % 4;
            const bool cancelled = random.word() % 4 == 0;
            claim.rest = cancelled ? Rejection::cancelled() : Rejection::invalid(BBIPC_STEP_ECCVM);
            expected.push_back(cancelled ? BBIPC_STEP_NONE : BBIPC_STEP_ECCVM);
            for (std::size_t k = claim.pairing_count; k-- > 0;) {
                claim.pairings[k].step = steps[k];
                if (random.word() % 4 != 0) continue;
                claim.pairings[k].p1 = g1_generator();
                if (!cancelled) expected.back() = steps[k];
            }
            pointers.push_back(&claim);
        }
        std::vector<Verdict> verdicts(count);
        check(setup, pointers, {}, Options{}, verdicts);
        for (std::size_t i = 0; i < count; ++i) {
            const auto outcome = expected[i] == BBIPC_STEP_NONE ? BBIPC_CANCELLED : BBIPC_INVALID;
            CHECK(verdicts[i].as_c().outcome == outcome && verdicts[i].as_c().step == expected[i]);
        }
    }
}

// Inner-product arguments of three proofs, some with a wrong G0 or a0.
void test_argument_batches(const Setup& setup, const Claim& good) {
    const Rule rule("09.3 and 09.5, inner-product arguments alone and in batches");
    for (const unsigned bad : {1u, 2u, 5u, 7u}) {
        std::vector<Claim> claims(3, good);
        std::vector<const Claim*> pointers;
        for (std::size_t i = 0; i < 3; ++i) {
            if ((bad >> i & 1) != 0) {
                if (i == 1) {
                    claims[i].ipa.g0 = -claims[i].ipa.g0;
                } else {
                    claims[i].ipa.a0 += Fq::one();
                }
            }
            pointers.push_back(&claims[i]);
        }
        std::vector<Verdict> verdicts(3);
        Options options;
        options.threads = 2;
        check(setup, pointers, {}, options, verdicts);
        for (std::size_t i = 0; i < 3; ++i) {
            const bool is_bad = (bad >> i & 1) != 0;
            const bbipc_verdict& v = verdicts[i].as_c();
            CHECK(v.outcome == (is_bad ? BBIPC_INVALID : BBIPC_VALID) && (!is_bad || v.step == BBIPC_STEP_IPA));
        }
    }
    // Beside claims without an argument: who is cancelled, or objected to, has none, and each of the others is judged by its own.
    Claim objected = good, cancelled = good, wrong = good;
    objected.rest = Rejection::invalid(BBIPC_STEP_ECCVM);
    cancelled.rest = Rejection::cancelled();
    wrong.ipa.a0 += Fq::one();
    const std::vector<const Claim*> mixtures[] = {{&objected, &good, &wrong},
                                                  {&cancelled, &wrong, &good},
                                                  {&wrong, &objected, &good, &wrong},
                                                  {&good, &cancelled, &good, &wrong}};
    for (const auto& mixture : mixtures) {
        std::vector<Verdict> verdicts(mixture.size());
        check(setup, mixture, {}, Options{}, verdicts);
        for (std::size_t i = 0; i < mixture.size(); ++i) {
            const bbipc_verdict& v = verdicts[i].as_c();
            const Claim* const one = mixture[i];
            CHECK(v.outcome == (one == &good ? BBIPC_VALID : one == &cancelled ? BBIPC_CANCELLED : BBIPC_INVALID));
            CHECK(v.step == (one == &objected ? BBIPC_STEP_ECCVM : one == &wrong ? BBIPC_STEP_IPA : BBIPC_STEP_NONE));
        }
    }
    // Each check of chapter 09.3 by itself, judged alone and in a combination. Check 1 alone: G0 changes, and C with it. Check 2
    // alone: C, the value, or a point of a round changes.
    const auto holds = [](const IpaClaim& claim) {
        const IpaClaim* const pointer = &claim;
        bool cancelled = false;
        const bool exactly = check_ipa_alone(claim, Options{}, cancelled);
        CHECK(!cancelled);
        return exactly ? check_ipa(std::span(&pointer, 1), Options{}, cancelled) : false;
    };
    const auto combined_holds = [](const IpaClaim& claim) {
        const IpaClaim* const pointer = &claim;
        bool cancelled = false;
        return check_ipa(std::span(&pointer, 1), Options{}, cancelled);
    };
    CHECK(holds(good.ipa));
    const auto plus = [](const Grumpkin& p, const Grumpkin& q) {
        return (Jacobian<GrumpkinCurve>::from_affine(p) + q).to_affine();
    };
    IpaClaim claim = good.ipa;
    claim.g0 = plus(claim.g0, grumpkin_generator());
    Jacobian<GrumpkinCurve> shift = Jacobian<GrumpkinCurve>::infinity();  // a0 times the generator
    const U256 a0 = claim.a0.to_int();
    for (unsigned i = 256; i-- > 0;) {
        shift = shift.dbl();
        if (a0.bit(i)) shift += grumpkin_generator();
    }
    claim.opening.commitment = plus(claim.opening.commitment, shift.to_affine());
    CHECK(!holds(claim) && !combined_holds(claim));
    claim = good.ipa;
    claim.g0 = plus(claim.g0, grumpkin_generator());
    CHECK(!holds(claim) && !combined_holds(claim));
    claim = good.ipa;
    claim.opening.commitment = plus(claim.opening.commitment, grumpkin_generator());
    CHECK(!holds(claim) && !combined_holds(claim));
    claim = good.ipa;
    claim.opening.value += Fq::one();
    CHECK(!holds(claim) && !combined_holds(claim));
    claim = good.ipa;
    claim.b0 += Fq::one();
    CHECK(!holds(claim) && !combined_holds(claim));
    for (std::size_t i = 0; i < ipa_rounds; ++i) {
        claim = good.ipa;
        claim.left[i] = plus(claim.left[i], grumpkin_generator());
        CHECK(!holds(claim));
        claim = good.ipa;
        claim.right[i] = plus(claim.right[i], grumpkin_generator());
        CHECK(!holds(claim));
    }
}

// More claims than any array or group has places: the last one counts like the first.
void test_large_batches(const Setup& setup, const Claim& good) {
    const Rule rule("00.7, a batch of any size judges each claim as it is alone");
    constexpr std::size_t count = 67;
    Claim passed, bad_pairing;
    for (Claim* const claim : {&passed, &bad_pairing}) {
        claim->pairing_count = 3;
        for (std::size_t k = 0; k < 3; ++k) claim->pairings[k].step = steps[k];
        claim->rest = Rejection::invalid(BBIPC_STEP_IPA);
    }
    bad_pairing.pairings[2].p1 = g1_generator();
    Claim bad_argument = good;
    bad_argument.ipa.a0 += Fq::one();
    const std::pair<const Claim*, const Claim*> kinds[] = {{&passed, &bad_pairing}, {&good, &bad_argument}};
    for (const auto& [others, bad] : kinds) {
        for (const std::size_t at : {std::size_t{40}, count - 1}) {
            if (bad == &bad_argument && at != count - 1) continue;
            std::vector<const Claim*> claims(count, others);
            claims[at] = bad;
            std::vector<Verdict> verdicts(count);
            Options options;
            if (ifma_supported()) options.lane_path = LanePath::ifma;
            check(setup, claims, {}, options, verdicts);
            for (std::size_t i = 0; i < count; ++i) {
                const bbipc_verdict& v = verdicts[i].as_c();
                if (i == at) {
                    CHECK(v.outcome == BBIPC_INVALID && v.step == (bad == &bad_argument ? BBIPC_STEP_IPA : steps[2]));
                } else {
                    CHECK(v.outcome == (others == &good ? BBIPC_VALID : BBIPC_INVALID));
                    CHECK(v.step == (others == &good ? BBIPC_STEP_NONE : BBIPC_STEP_IPA));
                }
            }
        }
    }
}

// ---- Cancellation ----

std::int32_t outcome(const Verdict& verdict) { return verdict.as_c().outcome; }

Options fast_options() {
    Options options;
    if (ifma_supported()) options.lane_path = LanePath::ifma;
    return options;
}

// A source of weights that raises a flag when the n-th weight is drawn: a cancellation in the middle of a check.
struct Raising final : RandomSource {
    std::int32_t* flag;
    mutable unsigned left;

    Raising(std::int32_t* f, unsigned n) : flag(f), left(n) {}
    std::ptrdiff_t read(void* out, std::size_t size) const override {
        if (left-- == 0) __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
        return system_random().read(out, size);
    }
};

void test_cancellation(const Setup& setup, const Claim& good) {
    const Rule rule("00.5, cancellation of a check");
    Claim bad = good;
    bad.ipa.a0 += Fq::one();
    const Claim* const claims[3] = {&good, &bad, &good};
    // All are cancelled: whenever the flag is raised, each verdict is cancelled, or what the claim deserves if it was decided
    // before; nothing invalid is invented.
    unsigned cancelled = 0;
    for (const unsigned moment : {0u, 7u, 8u, 9u, 12u, 30u}) {  // before, while pairings or arguments are combined, after
        std::int32_t flag = 0;
        const Raising random(&flag, moment);
        Options options = fast_options();
        options.cancel = CancelFlag(&flag);
        options.random = &random;
        Verdict verdicts[3];
        check(setup, claims, {}, options, verdicts);
        for (std::size_t i = 0; i < 3; ++i) {
            const auto deserved = claims[i] == &bad ? BBIPC_INVALID : BBIPC_VALID;
            CHECK(outcome(verdicts[i]) == BBIPC_CANCELLED || (flag == 0 && outcome(verdicts[i]) == deserved));
            cancelled += outcome(verdicts[i]) == BBIPC_CANCELLED ? 1 : 0;
        }
        CHECK(flag == 0 || outcome(verdicts[0]) == BBIPC_CANCELLED);
    }
    CHECK(cancelled >= 3 * 4);
    // One is cancelled, and the others are judged.
    for (std::size_t one = 0; one < 3; ++one) {
        std::int32_t flag = 0;
        const Raising random(&flag, 2);  // while pairings are combined
        Options options = fast_options();
        options.random = &random;
        std::vector<CancelFlag> flags(3);
        flags[one] = CancelFlag(&flag);
        Verdict verdicts[3];
        check(setup, claims, flags, options, verdicts);
        for (std::size_t i = 0; i < 3; ++i) {
            const auto deserved = i == one ? BBIPC_CANCELLED : claims[i] == &bad ? BBIPC_INVALID : BBIPC_VALID;
            CHECK(outcome(verdicts[i]) == deserved);
        }
    }
    // Any number but zero raises a flag.
    for (const std::int32_t flag : {1, 2, -1, 256, 1 << 30, std::int32_t{-0x7fffffff - 1}}) CHECK(CancelFlag(&flag).raised());
    const std::int32_t lowered = 0;
    CHECK(!CancelFlag(&lowered).raised() && !CancelFlag().raised());
    // An argument that is stopped neither holds nor fails.
    const std::int32_t raised = 1;
    Options stopped = fast_options();
    stopped.cancel = CancelFlag(&raised);
    for (const std::size_t count : {1, 2}) {
        const IpaClaim* const arguments[2] = {&good.ipa, &good.ipa};
        bool is_cancelled = false;
        CHECK(!check_ipa(std::span(arguments).first(count), stopped, is_cancelled));
        CHECK(is_cancelled);
        is_cancelled = false;
        CHECK(!check_ipa_alone(good.ipa, stopped, is_cancelled) && is_cancelled);
    }
    // What was cancelled while it was reduced stays so, and carries nothing that could be checked.
    for (const std::size_t pairings : {0, 1, 2, 3}) {
        Claim half = good;
        half.pairing_count = pairings;
        half.rest = Rejection::cancelled();
        const Claim* const both[2] = {&half, &good};
        Verdict verdicts[2];
        check(setup, both, {}, fast_options(), verdicts);
        CHECK(outcome(verdicts[0]) == BBIPC_CANCELLED && outcome(verdicts[1]) == BBIPC_VALID);
    }
    // A claim without a verdict is none that holds.
    const Claim nothing;
    const Claim* const pointers[2] = {&nothing, &good};
    Verdict verdicts[2];
    check(setup, pointers, {}, fast_options(), verdicts);
    CHECK(outcome(verdicts[0]) == BBIPC_ERROR && verdicts[0].as_c().message[0] != 0 && outcome(verdicts[1]) == BBIPC_VALID);
}

// A flag that is raised at a certain reading and stays so, or is lowered again at the next one.
struct Moment final : CancelFlag::Source {
    static constexpr unsigned never = ~0u;
    const unsigned moment;
    const bool once;
    mutable unsigned readings = 0;

    explicit Moment(unsigned m, bool o = false) : moment(m), once(o) {}
    bool raised() const override {
        const unsigned now = readings++;
        return once ? now == moment : now >= moment;
    }
    bool was_raised() const { return moment != never && readings > moment; }
};

// A reduction reads the flag before step 1, after steps 4, 5, 6 and 8, and before step 9; whichever of them sees it, the claim is
// cancelled, and the other proofs of a batch are not concerned.
void test_reductions_at_every_moment(const Key& key, const bbipc_proof& proof, const Setup& setup) {
    const Rule rule("00.5, a reduction is cancelled at each step");
    for (const bool once : {false, true}) {
        for (unsigned moment = 0; moment <= 6; ++moment) {
            const Moment flag(moment, once);
            Claim claim;
            reduce(setup, key, proof, false, CancelFlag(flag), LanePath::scalar, claim);
            CHECK(flag.was_raised() == (moment < 6));
            CHECK(moment < 6 ? claim.rest && claim.rest->is_cancelled() : !claim.rest && claim.pairing_count == 3);
        }
    }
    std::vector<LanePath> paths{LanePath::scalar};
    if (ifma_supported()) paths.push_back(LanePath::ifma);
    for (const LanePath path : paths) {
        const auto run = [&](const Moment& flag) {
            const Submission submissions[3] = {
                {&key, &proof, CancelFlag()}, {&key, &proof, CancelFlag(flag)}, {&key, &proof, CancelFlag()}};
            std::vector<Claim> results(3);
            Claim* const pointers[3] = {&results[0], &results[1], &results[2]};
            reduce_many(setup, submissions, false, path, pointers);
            CHECK(!results[0].rest && results[0].pairing_count == 3 && !results[2].rest && results[2].pairing_count == 3);
            return results[1];
        };
        const Moment never(Moment::never);
        CHECK(!run(never).rest);
        const unsigned readings = never.readings;
        CHECK(path == LanePath::scalar ? readings == 6 : readings > 6);
        for (unsigned moment = 0; moment < readings; moment += moment < 3 || moment + 9 > readings ? 1 : 19) {
            const Claim stopped = run(Moment(moment));
            CHECK(stopped.rest && stopped.rest->is_cancelled());
            // While hashes are made ahead, a flag that is lowered is not missed.
            const Claim doubtful = run(Moment(moment, true));
            CHECK(!doubtful.rest || doubtful.rest->is_cancelled());
        }
    }
}

// A check reads the flag of all, or of each claim, when it begins, before the arguments, and then once before and once in each of
// them. Whoever sees it: nobody is called valid any more, nor invalid for want of an argument.
void test_checks_at_every_moment(const Setup& setup, const Claim& good) {
    const Rule rule("00.5, a check is cancelled at each step");
    Claim bad_argument = good, bad_pairing = good;
    bad_argument.ipa.a0 += Fq::one();
    bad_pairing.pairings[0].p1 = bad_pairing.pairings[1].p1;
    struct Case {
        std::vector<const Claim*> claims;
        unsigned readings;  // of the flag of all
    };
    const Case cases[] = {{{&good}, 4}, {{&good, &bad_argument}, 8}, {{&bad_pairing, &good}, 5}};
    const Options fast = fast_options();
    for (const auto& [claims, readings] : cases) {
        const auto deserved = [&, &all = claims](std::size_t i, const Verdict& v) {
            if (all[i] == &good) return outcome(v) == BBIPC_VALID;
            return outcome(v) == BBIPC_INVALID &&
                   v.as_c().step == (all[i] == &bad_pairing ? BBIPC_STEP_PI_PAIRING : BBIPC_STEP_IPA);
        };
        const auto run = [&, &all = claims](const Options& options, std::span<const CancelFlag> flags) {
            std::vector<Verdict> verdicts(all.size());
            check(setup, all, flags, options, verdicts);
            return verdicts;
        };
        for (const bool once : {false, true}) {
            for (unsigned moment = 0; moment <= readings; ++moment) {
                const Moment flag(moment, once);
                Options options = fast;
                options.cancel = CancelFlag(flag);
                const std::vector<Verdict> verdicts = run(options, {});
                CHECK(flag.was_raised() == (moment < readings));
                bool any = false;
                for (std::size_t i = 0; i < claims.size(); ++i) {
                    const bool cancelled = outcome(verdicts[i]) == BBIPC_CANCELLED;
                    any = any || cancelled;
                    CHECK(cancelled || deserved(i, verdicts[i]));
                    CHECK(cancelled || once || moment == readings || claims[i] == &bad_pairing);
                }
                CHECK(any == (moment < readings));
            }
        }
        for (std::size_t one = 0; one < claims.size(); ++one) {
            const unsigned own_readings = claims[one] == &bad_pairing ? 1 : 2;
            for (unsigned moment = 0; moment <= own_readings; ++moment) {
                const Moment flag(moment, true);
                std::vector<CancelFlag> flags(claims.size());
                flags[one] = CancelFlag(flag);
                const std::vector<Verdict> verdicts = run(fast, flags);
                CHECK(flag.readings == (moment == 0 ? 1 : own_readings));
                for (std::size_t i = 0; i < claims.size(); ++i) {
                    CHECK(i == one && moment < own_readings ? outcome(verdicts[i]) == BBIPC_CANCELLED
                                                            : deserved(i, verdicts[i]));
                }
            }
        }
    }
}

// A flag that is raised from the start stops a reduction, of one proof among others too.
void test_cancelled_reduction(const Setup& setup, const Input& input) {
    const Rule rule("00.5, cancellation of a reduction");
    Key key;
    FormatError error;
    CHECK(decode_key(input.key.data(), input.key.size(), key, error));
    const bbipc_proof proof = input.view();
    const std::int32_t raised = 1, lowered = 0;
    Claim claim;
    reduce(setup, key, proof, false, CancelFlag(&raised), LanePath::scalar, claim);
    CHECK(claim.rest && claim.rest->is_cancelled());
    reduce(setup, key, proof, false, CancelFlag(&lowered), LanePath::scalar, claim);
    CHECK(!claim.rest && claim.pairing_count == 3);
    reduce(setup, key, proof, false, CancelFlag(&raised), LanePath::scalar, claim);  // what the claim held before is gone
    CHECK(claim.rest && claim.rest->is_cancelled() && claim.pairing_count == 0);
    const Submission submissions[3] = {
        {&key, &proof, CancelFlag(&lowered)}, {&key, &proof, CancelFlag(&raised)}, {&key, &proof, CancelFlag()}};
    Claim results[3];
    Claim* const pointers[3] = {&results[0], &results[1], &results[2]};
    reduce_many(setup, submissions, false, LanePath::scalar, pointers);
    CHECK(!results[0].rest && results[1].rest && results[1].rest->is_cancelled() && !results[2].rest);
    CHECK(results[0].pairing_count == 3 && results[2].pairing_count == 3);
}

// Messages of transcripts that are hashed elsewhere count only for what was really absorbed.
void test_replayed_transcript(const Input& input) {
    const Rule rule("02.4, hashes made ahead count for their message only");
    PartView part{BBIPC_PART_MERGE, input.words.data() + 32 * input.count[0], 41};
    RecordedTranscript record;
    Transcript recorder = Transcript::recording(record);
    recorder.load(part);
    (void)recorder.receive_fr();
    (void)recorder.challenge();
    (void)recorder.receive_fr();
    (void)recorder.challenge();
    CHECK(record.count() == 2 && record.hashed() == 0);
    record.add_hash(Fr::from_u64(5));  // not the hash of the message
    Transcript replay = Transcript::replaying(record), other = Transcript::replaying(record), plain;
    for (Transcript* t : {&replay, &other, &plain}) t->load(part);
    (void)replay.receive_fr();
    CHECK(replay.challenge().value == (U256{{5, 0, 0, 0}}));  // so a hash that is there is taken for its message
    (void)other.receive_fr();
    other.absorb(Fr::one());  // and for no other
    (void)plain.receive_fr();
    plain.absorb(Fr::one());
    CHECK(other.challenge().value == plain.challenge().value);
}

// An element of Fq enters the transcript as its two limbs, a point of Grumpkin as its coordinates (chapter 02 section 4).
void test_absorbed_elements() {
    const Rule rule("02.4, what is absorbed");
    RandomElements random(23);
    const Fq element = random.element<Fq>();
    const Grumpkin point = random.point<GrumpkinCurve>();
    const FqLimbs limbs = split_fq(element.to_int());
    CHECK(!limbs.lo.is_zero() && !limbs.hi.is_zero());
    Transcript whole, parts;
    whole.absorb(element);
    whole.absorb(point);
    for (const Fr& value : {Fr::from_int(limbs.lo), Fr::from_int(limbs.hi), point.x, point.y}) parts.absorb(value);
    CHECK(whole.challenge().value == parts.challenge().value);

    // What is received enters word for word, infinite points like others.
    const G1 finite = random.point<G1Curve>();
    const FqLimbs x = split_fq(finite.x.to_int()), y = split_fq(finite.y.to_int());
    const U256 words[] = {x.lo, x.hi, y.lo,     y.hi,    {}, {}, {}, {}, point.x.to_int(), point.y.to_int(),
                          {},   {},   limbs.lo, limbs.hi};
    Bytes bytes(32 * std::size(words));
    for (std::size_t i = 0; i < std::size(words); ++i) store_be(&bytes[32 * i], words[i]);
    Transcript received;
    received.load(PartView{BBIPC_PART_MERGE, bytes.data(), std::size(words)});
    CHECK(received.receive_g1() == finite && received.receive_g1().is_infinity());
    CHECK(received.receive_grumpkin() == point && received.receive_grumpkin().is_infinity() &&
          received.receive_fq() == element);
    CHECK(!received.failed() && received.pending().size() == std::size(words));
    for (std::size_t i = 0; i < std::size(words); ++i) CHECK(received.pending()[i] == Fr::from_int(words[i]));
}

// ---- Points in every relation to each other ----

template <class C>
void test_additions() {
    const Rule rule("01.7, addition of points");
    RandomElements random(5);
    for (int n = 0; n < 10; ++n) {
        const Affine<C> p = random.point<C>(), q = random.point<C>();
        using J = Jacobian<C>;
        const auto scaled = [&](const Affine<C>& a) {  // another representation of the point
            const typename C::Base z = random.element<typename C::Base>(), zz = z.sqr();
            return J{a.x * zz, a.y * zz * z, z};
        };
        const J jp = scaled(p), jq = scaled(q);
        const Affine<C> sum = (J::from_affine(p) + q).to_affine(), twice = J::from_affine(p).dbl().to_affine();
        CHECK((jp + jq).to_affine() == sum && (jp + q).to_affine() == sum && (jq + jp).to_affine() == sum && sum.is_on_curve());
        CHECK((jp + scaled(p)).to_affine() == twice && (jp + p).to_affine() == twice && twice.is_on_curve());
        CHECK((jp + scaled(-p)).is_infinity() && (jp + -p).is_infinity() && (jp + -jp).is_infinity());
        CHECK((jp + J::infinity()).to_affine() == p && (J::infinity() + jp).to_affine() == p);
        CHECK((jp + Affine<C>::infinity()).to_affine() == p && (J::infinity() + p).to_affine() == p);
        CHECK((J::infinity() + J::infinity()).is_infinity() && J::infinity().dbl().is_infinity());
        CHECK(J::infinity().to_affine().is_infinity() && (-p).y == -p.y && -p != p);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    Bytes g2_x, translator_key;
    std::vector<Input> inputs;
    for (const TestCase& test : CaseFile(argv[1]).cases) {
        if (test.kind == "setup") g2_x = test.bytes("g2_x"), translator_key = test.bytes("translator_key");
        if (test.kind == "proof") inputs.emplace_back(test);
    }
    CHECK(inputs.size() == 2);
    const Core core = make_core(paths_under_test()[0], g2_x.data(), translator_key.data());
    CHECK(core != nullptr);
    Setup setup = aztec_setup();
    CHECK(decode_setup(g2_x.data(), translator_key.data(), setup) == nullptr);

    test_points();
    test_received_points();
    test_additions<G1Curve>();
    test_additions<GrumpkinCurve>();
    test_replayed_transcript(inputs[0]);
    test_absorbed_elements();
    test_words(core, inputs[0]);
    test_strict(core, inputs[0]);
    test_errors(core, inputs[0]);
    test_precedence(core, inputs[0]);
    test_public_pairing(core, inputs[0]);
    test_databus(core, inputs[0]);
    test_infinite_merge_points(core, inputs[0]);
    test_lengths();
    test_key_sizes(inputs[0]);
    test_infinite_commitments(inputs[0]);
    test_kept_keys(inputs[0]);
    test_built_in_setup();
    test_batches(setup);
    test_unfinished_claims(setup);
    Key key;
    FormatError error;
    Claim claim;
    CHECK(decode_key(inputs[0].key.data(), inputs[0].key.size(), key, error));
    reduce(setup, key, inputs[0].view(), false, CancelFlag(), LanePath::scalar, claim);
    CHECK(!claim.rest);
    test_argument_batches(setup, claim);
    test_large_batches(setup, claim);
    test_cancellation(setup, claim);
    test_cancelled_reduction(setup, inputs[0]);
    test_reductions_at_every_moment(key, inputs[0].view(), setup);
    test_checks_at_every_moment(setup, claim);
    return check_result();
}
