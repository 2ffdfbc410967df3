// The random weights of combined checks (chapter 09.5 and docs/security.md): where they come from, when they are drawn, that
// every bit of them counts, and that no verification goes on without them.
// Argument: the file that tests/reference/capi_cases.py writes.
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "../chonk/ipa/ipa.hpp"
#include "../chonk/proof/proof.hpp"
#include "../chonk/verify/reduce.hpp"
#include "../chonk/verify/verify.hpp"
#include "../msm/msm.hpp"
#include "case_file.hpp"
#include "check.hpp"
#include "paths.hpp"

namespace {

// What the system's generator does during a test of the C ABI; empty: what it always does.
std::function<ssize_t(void*, std::size_t)> system_generator;
std::size_t system_bytes = 0;  // given so far

}  // namespace

// The core's getrandom is this one: the program's symbols come before those of the C library.
extern "C" ssize_t getrandom(void* out, std::size_t size, unsigned flags) {
    if (flags != 0) return errno = EINVAL, -1;  // it waits for the generator to be seeded, and asks for nothing else
    static std::uint64_t state = 0x9e3779b97f4a7c15;
    if (system_generator) return system_generator(out, size);
    for (std::size_t i = 0; i < size; ++i) {
        state = state * 6364136223846793005 + 1442695040888963407;
        static_cast<std::uint8_t*>(out)[i] = static_cast<std::uint8_t>(state >> 56);
    }
    system_bytes += size;
    return static_cast<ssize_t>(size);
}

using namespace bbipc;

namespace {

// ---- Reading bytes ----

struct Source final : RandomSource {
    std::function<std::ptrdiff_t(std::uint8_t*, std::size_t)> answer;
    mutable unsigned reads = 0;

    explicit Source(decltype(answer) a) : answer(std::move(a)) {}
    std::ptrdiff_t read(void* out, std::size_t size) const override {
        ++reads;
        return answer(static_cast<std::uint8_t*>(out), size);
    }
};

struct Endless {};  // thrown by a source that is asked again and again

bool fails(const RandomSource& source) {
    std::uint8_t bytes[40];
    try {
        random_bytes(source, bytes, sizeof bytes);
        return false;
    } catch (const std::runtime_error&) {
        return true;
    } catch (const Endless&) {
        return false;
    }
}

void test_reading() {
    const Rule rule("docs/security.md, random bytes come from the system or not at all");
    std::uint8_t next = 0, bytes[40], expected[40];
    for (std::uint8_t& b : expected) b = ++next;
    next = 0;
    const Source short_reads([&](std::uint8_t* out, std::size_t size) -> std::ptrdiff_t {
        if (next % 3 == 2 && errno != EINTR) return errno = EINTR, -1;
        errno = 0;
        const std::size_t count = std::min<std::size_t>(size, 1 + next % 2);
        for (std::size_t i = 0; i < count; ++i) out[i] = ++next;
        return static_cast<std::ptrdiff_t>(count);
    });
    random_bytes(short_reads, bytes, sizeof bytes);
    CHECK(std::memcmp(bytes, expected, sizeof bytes) == 0 && short_reads.reads > 20);

    const auto always = [](std::ptrdiff_t result, int error) {
        return Source([=, reads = 0](std::uint8_t*, std::size_t) mutable {
            if (++reads > 1000) throw Endless();
            return errno = error, result;
        });
    };
    for (const int error : {EIO, ENOSYS, EAGAIN, EFAULT}) CHECK(fails(always(-1, error)));
    for (const int error : {0, EINTR}) CHECK(fails(always(0, error)));  // nothing, whatever errno held before
    CHECK(fails(always(41, 0)) && fails(always(-2, EIO)));
    unsigned reads = 0;
    CHECK(fails(Source([&](std::uint8_t* out, std::size_t) -> std::ptrdiff_t {  // a part, then no more
        if (++reads > 1) return errno = EIO, -1;
        return std::memset(out, 7, 16), 16;
    })));
    CHECK(reads == 2);
    CHECK(&system_random() == Options{}.random);
}

// ---- Weights of pairing checks ----

// Blocks of 16 bytes, each the number 1, so that a combination with these weights is a plain sum; one bit of the stream is
// flipped.
Source unit_weights(std::size_t flipped = ~std::size_t{0}) {
    return Source([flipped, at = std::size_t{0}](std::uint8_t* out, std::size_t size) mutable {
        for (std::size_t i = 0; i < size; ++i, ++at) {
            out[i] = static_cast<std::uint8_t>(at % 16 == 0 ? 1 : 0);
            if (at == flipped / 8) out[i] ^= static_cast<std::uint8_t>(1 << flipped % 8);
        }
        return static_cast<std::ptrdiff_t>(size);
    });
}

constexpr std::int32_t steps[3] = {BBIPC_STEP_PI_PAIRING, BBIPC_STEP_MERGE_PAIRING, BBIPC_STEP_JOINT_PAIRING};

// Claims whose pairing checks hold trivially, but for those whose P0 is set; if all of them are passed, the verdict is
// invalid at IPA.
struct PairingClaims {
    std::vector<Claim> claims;

    explicit PairingClaims(std::size_t count) : claims(count) {
        for (Claim& claim : claims) {
            claim.pairing_count = 3;
            for (std::size_t i = 0; i < 3; ++i) {
                claim.pairings[i].step = steps[i];
                claim.pairings[i].p0.add({}, Fr::one());
            }
            claim.rest = Rejection::invalid(BBIPC_STEP_IPA);
        }
    }
    void set_p0(std::size_t i, const G1& point) {
        PairingCheck& check = claims[i / 3].pairings[i % 3];
        check.p0 = Combination<G1Curve>(g1_generator());
        check.p0.add(point, Fr::one());
    }
    G1& p1(std::size_t i) { return claims[i / 3].pairings[i % 3].p1; }

    // True if every pairing check was passed; otherwise each claim must have been judged as it is by itself.
    bool pass(const Setup& setup, const RandomSource& random, unsigned threads = Options{}.threads) const {
        std::vector<const Claim*> pointers;
        for (const Claim& claim : claims) pointers.push_back(&claim);
        std::vector<Verdict> verdicts(claims.size());
        Options options;
        options.random = &random;
        options.threads = threads;
        check(setup, pointers, {}, options, verdicts);
        bool all = true;
        for (const Verdict& v : verdicts) {
            CHECK(v.as_c().outcome == BBIPC_INVALID);
            all = all && v.as_c().step == BBIPC_STEP_IPA;
        }
        if (!all) {
            for (std::size_t i = 0; i < claims.size(); ++i) {
                std::int32_t expected = BBIPC_STEP_IPA;
                for (std::size_t k = 3; k-- > 0;) {
                    const auto& one = claims[i].pairings[k];
                    if (!one.p0.sum(LanePath::scalar).is_infinity() || !one.p1.is_infinity()) expected = steps[k];
                }
                CHECK(verdicts[i].as_c().step == expected);
            }
        }
        return all;
    }
};

void test_pairing_weights(const Setup& setup) {
    const Rule rule("docs/security.md, random weights of pairing checks");
    const G1 d = g1_generator();
    CHECK(PairingClaims(2).pass(setup, system_random()));
    // Two checks of one claim, and of two. (Of two claims that fail together each is judged again by itself, with new weights.)
    const std::size_t pairs[][3] = {{1, 1, 2}, {1, 0, 2}, {2, 2, 3}, {2, 0, 5}};
    for (const auto& [count, i, j] : pairs) {
        for (const bool second_point : {false, true}) {
            PairingClaims claims(count);
            if (second_point) {
                claims.p1(i) = d;
                claims.p1(j) = -d;
            } else {
                claims.set_p0(i, d);
                claims.set_p0(j, -d);
            }
            // Two errors that cancel each other in a plain sum. That the sum is passed shows that the weights come from the
            // source and from nowhere else.
            CHECK(claims.pass(setup, unit_weights()));
            CHECK(!claims.pass(setup, system_random()));
            if (second_point) continue;
            // Every byte of every weight counts; of each one bit is tried.
            std::size_t refused = 0;
            for (std::size_t byte = 0; byte < 16 * (3 * count - 1); ++byte) {
                refused += claims.pass(setup, unit_weights(8 * byte + byte % 8)) ? 0 : 1;
            }
            CHECK(refused == (i == 0 ? 16u : 32u));  // the first check needs no weight
        }
    }
    // The search for bad claims combines again, parts of the list: errors that cancel in one of its halves, or in one claim.
    // The last number is where that half begins: weights that count up from there would let errors pass that stand in their ratio.
    const std::size_t halves[][4] = {{2, 0, 1, 0}, {2, 3, 5, 3},  {3, 3, 6, 3}, {4, 0, 3, 0},
                                     {4, 6, 9, 6}, {4, 7, 11, 6}, {5, 0, 4, 0}};
    const auto times = [&d](u64 n) { return scalar_mul<G1Curve>(d, Fr::from_u64(n)).to_affine(); };
    for (const auto& [count, i, j, start] : halves) {
        PairingClaims counted(count);
        counted.set_p0(i, times(j - start + 1));
        counted.set_p0(j, -times(i - start + 1));
        CHECK(!counted.pass(setup, system_random()));
        counted = PairingClaims(count);
        counted.set_p0(i, times(j + 1));
        counted.set_p0(j, -times(i + 1));
        CHECK(!counted.pass(setup, system_random()));
        PairingClaims claims(count);
        claims.set_p0(i, d);
        claims.set_p0(j, -d);
        CHECK(!claims.pass(setup, system_random()));
        claims = PairingClaims(count);
        claims.p1(i) = d;
        claims.p1(j) = -d;
        CHECK(!claims.pass(setup, system_random()));
    }
    // No weight is used twice, and none is the negative of another, as a counter or a constant would be.
    for (std::size_t i = 0; i < 6; ++i) {
        PairingClaims claims(2);
        claims.set_p0(i, d);
        CHECK(!claims.pass(setup, system_random()));
        for (std::size_t j = i + 1; j < 6; ++j) {
            claims.set_p0(j, d);
            CHECK(!claims.pass(setup, system_random()));
            claims.set_p0(j, {});
        }
    }
}

// What holds is decided by one combination, however many terms it has and however many threads add them: a weight for each check
// but the first is drawn, and no more, as a search for what fails would.
void test_one_combination(const Setup& setup) {
    const Rule rule("00.7, what holds is decided by one combination");
    for (const std::size_t count : {1, 2, 3}) {
        PairingClaims claims(count);
        Jacobian<G1Curve> point = Jacobian<G1Curve>::from_affine(g1_generator());
        u64 multiple = 1;
        for (std::size_t i = 0; i < 3 * count; ++i) {  // many terms whose sum is zero, while that of a part of them is not
            PairingCheck& check = claims.claims[i / 3].pairings[i % 3];
            check.p0 = Combination<G1Curve>(g1_generator());
            Fr total = Fr::zero();
            for (u64 n = 1; n <= 1000; ++n) {
                point += g1_generator();
                check.p0.add(point.to_affine(), Fr::from_u64(n));
                total += Fr::from_u64(++multiple) * Fr::from_u64(n);
            }
            check.p0.add(g1_generator(), -total);
        }
        for (const unsigned threads : {1u, 2u, 3u, 5u}) {
            std::size_t bytes = 0;
            const Source source([&](std::uint8_t* out, std::size_t size) {
                bytes += size;
                return system_random().read(out, size);
            });
            CHECK(claims.pass(setup, source, threads));
            CHECK(bytes == 16 * (3 * count - 1));
        }
        // And no term is lost: one more, wherever it stands, and nothing holds any more.
        for (std::size_t n = 0; count == 1 && n < 1000; n += 97) {
            PairingClaims wrong = claims;
            Combination<G1Curve>& p0 = wrong.claims[0].pairings[n % 3].p0;
            const G1 term = p0.points()[1 + n];
            p0.add(term, Fr::one());
            for (const unsigned threads : {2u, 3u}) CHECK(!wrong.pass(setup, system_random(), threads));
        }
    }
}

// What fails is searched for with weights that are drawn for it: of two claims, five for all of their checks, and then two for each
// of them by itself; and all of them anew in the next check.
void test_weights_of_the_search(const Setup& setup) {
    const Rule rule("docs/security.md, random weights of pairing checks, drawn anew in a search");
    PairingClaims claims(2);
    claims.set_p0(4, g1_generator());
    std::vector<std::uint8_t> drawn[2];
    for (std::vector<std::uint8_t>& bytes : drawn) {
        const Source source([&](std::uint8_t* out, std::size_t size) {
            const std::ptrdiff_t got = system_random().read(out, size);
            bytes.insert(bytes.end(), out, out + size);
            return got;
        });
        CHECK(!claims.pass(setup, source));
        CHECK(bytes.size() == 16 * (5 + 2 + 2));
    }
    CHECK(drawn[0] != drawn[1]);
}

// A verdict of an earlier check is gone when the next one begins, also if that cannot end for want of random bytes.
void test_stale_verdicts(const Setup& setup, const Claim& good) {
    const Rule rule("docs/security.md, no random weights, no acceptance: not even an old one");
    const Claim* const claims[2] = {&good, &good};
    std::vector<Verdict> verdicts(2);
    check(setup, claims, {}, Options{}, verdicts);
    for (const Verdict& v : verdicts) CHECK(v.as_c().outcome == BBIPC_VALID);
    const Source none([](std::uint8_t*, std::size_t) -> std::ptrdiff_t { return errno = EIO, -1; });
    Options options;
    options.random = &none;
    bool thrown = false;
    try {
        check(setup, claims, {}, options, verdicts);
    } catch (const std::runtime_error&) {
        thrown = true;
    }
    CHECK(thrown);
    for (const Verdict& v : verdicts) CHECK(v.as_c().outcome == BBIPC_ERROR);
}

// ---- Weights of inner-product arguments ----

// 64 bytes for each element: high and low word of a number of 512 bits, least significant byte of each first.
Source unit_elements(std::size_t changed_byte = ~std::size_t{0}) {
    return Source([changed_byte, at = std::size_t{0}](std::uint8_t* out, std::size_t size) mutable {
        for (std::size_t i = 0; i < size; ++i, ++at) {
            out[i] = static_cast<std::uint8_t>(at % 64 == 32 ? 1 : 0);
            if (at == changed_byte) out[i] ^= 4;
        }
        return static_cast<std::ptrdiff_t>(size);
    });
}

Grumpkin sum(const Grumpkin& p, const Grumpkin& q, const Fq& factor) {
    return (Jacobian<GrumpkinCurve>::from_affine(p) + scalar_mul<GrumpkinCurve>(q, factor).to_affine()).to_affine();
}

void test_argument_weights(const IpaClaim& first, const IpaClaim& second) {
    const Rule rule("09.5, random weights of inner-product arguments");
    const Grumpkin d = grumpkin_generator();
    const auto pass = [](const IpaClaim& a, const IpaClaim& b, const RandomSource& random) {
        const IpaClaim* const claims[2] = {&a, &b};
        Options options;
        options.random = &random;
        bool cancelled = false;
        return check_ipa(claims, options, cancelled);
    };
    CHECK(pass(first, second, system_random()));

    // Check 2 is wrong by d in the first claim, by -d in the second: passed if A = 1.
    IpaClaim a = first, b = second;
    a.opening.commitment = sum(a.opening.commitment, d, Fq::one());
    b.opening.commitment = sum(b.opening.commitment, d, -Fq::one());
    std::vector<std::pair<IpaClaim, IpaClaim>> forged{{a, b}};
    // Check 1 is wrong by d and by -d: passed if B = 1.
    a = first, b = second;
    a.g0 = sum(a.g0, d, Fq::one());
    b.g0 = sum(b.g0, d, -Fq::one());
    forged.emplace_back(a, b);
    // Check 1 is wrong by d in one claim, and in the same claim the rest against it: passed if Gm = 1.
    a = first;
    a.g0 = sum(a.g0, d, Fq::one());
    a.opening.commitment = sum(a.opening.commitment, d, Fq::one());
    forged.emplace_back(a, second);

    std::vector<std::size_t> decisive[3];  // bytes of the source that matter to a forgery
    for (std::size_t n = 0; n < 3; ++n) {
        const auto& [x, y] = forged[n];
        CHECK(pass(x, y, unit_elements()));  // the weights are the source's
        CHECK(!pass(x, y, system_random()));
        for (const std::size_t element : {0, 1, 2}) {
            for (const std::size_t byte : {0, 63}) {  // both words, both ends
                if (!pass(x, y, unit_elements(64 * element + byte))) decisive[n].push_back(64 * element + byte);
            }
        }
        CHECK(decisive[n].size() == 2);  // one whole element
    }
    // Each forgery is found by an element of its own.
    CHECK(decisive[0][0] / 64 != decisive[1][0] / 64 && decisive[1][0] / 64 != decisive[2][0] / 64 &&
          decisive[0][0] / 64 != decisive[2][0] / 64);
}

// ---- The C ABI ----

using Bytes = std::vector<std::uint8_t>;

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

void test_c_abi(const Core& core, const std::vector<Input>& inputs) {
    const Rule rule("docs/security.md, no random weights, no acceptance");
    system_generator = nullptr;
    using ClaimPointer = std::unique_ptr<bbipc_claim, decltype(&bbipc_claim_free)>;
    std::vector<ClaimPointer> owners;
    std::vector<const bbipc_claim*> claims;
    std::vector<bbipc_proof> proofs;
    std::vector<const std::uint8_t*> keys;
    std::vector<std::uint64_t> lengths;
    system_bytes = 0;
    for (const Input& input : inputs) {
        owners.emplace_back(bbipc_reduce(core.get(), &input.proof, input.key.data(), input.key.size(), 0, nullptr),
                            bbipc_claim_free);
        claims.push_back(owners.back().get());
        proofs.push_back(input.proof);
        keys.push_back(input.key.data());
        lengths.push_back(input.key.size());
    }
    CHECK(system_bytes == 0);  // nothing is drawn before the claims are fixed

    bbipc_verdict verdicts[2];
    std::int32_t raised = 0;
    const std::int32_t* flag = nullptr;
    const std::function<void()> ways[] = {
        [&] { bbipc_check(core.get(), claims.data(), 2, 1, nullptr, verdicts); },
        [&] { bbipc_verify_many(core.get(), proofs.data(), keys.data(), lengths.data(), 2, 0, 2, flag, verdicts); },
        [&] {
            for (std::size_t i = 0; i < 2; ++i) {
                bbipc_verify(core.get(), &proofs[i], keys[i], lengths[i], 0, 1, flag, &verdicts[i]);
            }
        },
    };
    for (const auto& run : ways) {
        std::size_t before = 0;
        for (int again = 0; again < (&run == &ways[0] ? 2 : 1); ++again) {  // fresh weights each time
            system_bytes = 0;
            run();
            CHECK(verdicts[0].outcome == BBIPC_VALID && verdicts[1].outcome == BBIPC_VALID);
            CHECK(system_bytes >= 16 * 4 && (before == 0 || system_bytes == before));
            before = system_bytes;
        }
        // A flag that is raised while weights are drawn, which is after everything was reduced, cancels what is not decided.
        if (&run != &ways[0]) {
            raised = 0;
            system_generator = [&](void* out, std::size_t size) -> ssize_t {
                raised = 1;
                std::memset(out, 5, size);
                return static_cast<ssize_t>(size);
            };
            flag = &raised;
            run();
            flag = nullptr;
            system_generator = nullptr;
            for (const bbipc_verdict& v : verdicts) CHECK(v.outcome == BBIPC_CANCELLED);
        }
        // No weights, no acceptance: from the first read on, and from each later one.
        for (std::size_t good_reads = 0, reads = 1; good_reads < reads; ++good_reads) {
            for (const std::ptrdiff_t result : {std::ptrdiff_t{-1}, std::ptrdiff_t{0}, std::ptrdiff_t{1} << 40}) {
                if (result >= 0 && good_reads != 0) break;
                reads = 0;
                system_generator = [&](void* out, std::size_t size) -> ssize_t {
                    if (reads++ >= good_reads) return errno = EIO, result;
                    std::memset(out, static_cast<int>(reads), size);
                    return static_cast<ssize_t>(size);
                };
                for (bbipc_verdict& v : verdicts) v.outcome = BBIPC_VALID;
                run();
                system_generator = nullptr;
                if (reads <= good_reads) break;  // it has read all that it needs
                for (const bbipc_verdict& v : verdicts) {
                    const bool failed = v.outcome == BBIPC_ERROR && std::strstr(v.message, "random bytes") != nullptr;
                    // One proof at a time, the first may have been decided before the generator failed.
                    CHECK(failed || (&run == &ways[2] && &v == &verdicts[0] && good_reads > 0 && v.outcome == BBIPC_VALID));
                }
                CHECK(verdicts[0].outcome == BBIPC_ERROR || verdicts[1].outcome == BBIPC_ERROR);
            }
        }
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

    test_reading();
    Setup setup = aztec_setup();
    CHECK(decode_setup(g2_x.data(), translator_key.data(), setup) == nullptr);
    test_pairing_weights(setup);
    test_one_combination(setup);
    test_weights_of_the_search(setup);
    std::vector<Claim> claims(2);
    for (std::size_t i = 0; i < 2; ++i) {
        Key key;
        FormatError error;
        CHECK(decode_key(inputs[i].key.data(), inputs[i].key.size(), key, error));
        reduce(setup, key, inputs[i].proof, false, CancelFlag(), LanePath::scalar, claims[i]);
        CHECK(!claims[i].rest);
    }
    test_stale_verdicts(setup, claims[0]);
    test_argument_weights(claims[0].ipa, claims[1].ipa);
    const Core core = make_core(paths_under_test()[0], g2_x.data(), translator_key.data());
    CHECK(core != nullptr);
    test_c_abi(core, inputs);
    return check_result();
}
