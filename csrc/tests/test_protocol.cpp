// The protocol of chapters 04 to 10, 13 and 14 on real proofs, against the vectors of the specification.
// Argument: the file that tests/reference/protocol_cases.py writes.
#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

#include "../chonk/eccvm/messages.hpp"
#include "../chonk/eccvm/opening.hpp"
#include "../chonk/eccvm/sumcheck.hpp"
#include "../chonk/ipa/folding.hpp"
#include "../chonk/ipa/ipa.hpp"
#include "../chonk/joint/messages.hpp"
#include "../chonk/joint/opening.hpp"
#include "../chonk/joint/sumcheck.hpp"
#include "../chonk/verify/reduce.hpp"
#include "../chonk/verify/verify.hpp"
#include "../hash/poseidon2.hpp"
#include "case_file.hpp"
#include "check.hpp"
#include "proof_run.hpp"
#include "random_elements.hpp"

using namespace bbipc;

namespace {

template <class C>
std::vector<Affine<C>> points(const TestCase& test, const char* name, std::size_t count) {
    const auto coordinates = test.elements<typename C::Base>(name, 2 * count);
    std::vector<Affine<C>> result;
    for (std::size_t i = 0; i < count; ++i) result.push_back({coordinates[2 * i], coordinates[2 * i + 1]});
    return result;
}

template <class F, class Range>
void check_equal(const TestCase& test, const char* name, const Range& computed) {
    const auto expected = test.elements<F>(name, std::size(computed));
    std::size_t i = 0;
    for (const F& value : computed) {
        CHECK(value == expected[i]);
        if (value != expected[i]) std::fprintf(stderr, "  %s %s: %s[%zu]\n", test.kind.c_str(), test.label.c_str(), name, i);
        ++i;
    }
}

void check_front(const TestCase& test) {
    const Rule rule("chapters 04, 05, 06 and 10 against the vectors");
    ProofRun run(test);
    CHECK(run.key.hash == test.element<Fr>("vk_hash"));
    CHECK(run.oink.public_input_delta == test.element<Fr>("public_input_delta"));
    const std::vector<Fr> challenges = test.elements<Fr>("challenges", 21);
    CHECK(run.oink.beta == challenges[0]);
    CHECK(run.oink.gamma == challenges[1]);
    const auto pi = points<G1Curve>(test, "pi_pairing", 2);
    CHECK(run.io.pairing_p0 == pi[0]);
    CHECK(run.io.pairing_p1 == pi[1]);
    const auto merge = points<G1Curve>(test, "merge_pairing", 2);
    CHECK(run.merge_check.p0.sum(LanePath::scalar) == merge[0]);
    CHECK(run.merge_check.p1 == merge[1]);
    CHECK(run.transcript.pending().size() == 5);
    CHECK(run.transcript.pending()[0] == test.element<Fr>("last_hash"));
    check_equal<Fr>(test, "pending", run.transcript.pending().subspan(1));
}

std::vector<LanePath> paths() {
    if (ifma_supported()) return {LanePath::scalar, LanePath::ifma};
    return {LanePath::scalar};
}

// Every challenge of the ECCVM part, in the order of chapter 07.3.
std::vector<Fq> eccvm_challenges(const EccvmMessages& m) {
    std::vector<Fq> all{m.beta, m.gamma, m.alpha, m.gate, m.libra_challenge};
    all.insert(all.end(), std::begin(m.u), std::end(m.u));
    for (const Fq& c : {m.rho, m.r, m.nu, m.z, m.x, m.v, m.w, m.final_nu, m.final_z}) all.push_back(c);
    return all;
}

void check_eccvm(const TestCase& test) {
    const Rule rule("chapters 07 to 09 against the vectors");
    ProofRun run(test);
    run.transcript.load(run.proof.eccvm);
    EccvmMessages m;
    receive_eccvm_messages(run.transcript, m);
    CHECK(!run.transcript.failed());
    check_equal<Fq>(test, "challenges", eccvm_challenges(m));

    Fq sumcheck_value;
    CHECK(eccvm_sumcheck_value(m, sumcheck_value));
    CHECK(sumcheck_value == test.element<Fq>("sumcheck_value"));
    EccvmColumnOpening columns;
    CHECK(open_eccvm_columns(m, sumcheck_value, columns));
    CHECK(columns.batched_evaluation == test.element<Fq>("batched_evaluation"));
    check_equal<Fq>(test, "fold_values", columns.fold_values);
    std::vector<Fq> scalars;
    for (const std::size_t term : columns.columns) scalars.push_back(columns.sum.scalar(term));
    check_equal<Fq>(test, "column_scalars", scalars);
    CHECK(columns.sum.scalar(0) == test.element<Fq>("constant"));
    CHECK(columns.sum.sum(LanePath::scalar) == points<GrumpkinCurve>(test, "c1", 1)[0]);

    EccvmResult result;
    CHECK(combine_eccvm_claims(m, columns, result));
    const OpeningClaim claim{result.commitment.sum(LanePath::scalar), result.point, Fq::zero()};
    CHECK(claim.commitment == points<GrumpkinCurve>(test, "claim_commitment", 1)[0]);
    check_equal<Fq>(test, "claim", std::vector<Fq>{claim.point, claim.value});
    check_equal<Fq>(test, "translation", std::vector<Fq>{result.x, result.v, result.accumulated_result});

    IpaClaim ipa;
    CHECK(!read_ipa(Transcript(), run.proof.ipa, claim, ipa));
    CHECK(ipa.generator_challenge == test.element<Fq>("ipa_generator_challenge"));
    check_equal<Fq>(test, "ipa_challenges", ipa.challenges);
    CHECK(ipa.b0 == test.element<Fq>("ipa_b0"));
    CHECK(ipa.a0 == test.element<Fq>("ipa_a0"));
    CHECK(ipa.g0 == points<GrumpkinCurve>(test, "ipa_g0", 1)[0]);
    const IpaClaim* const claims[1] = {&ipa};
    const Fq weights[1] = {Fq::one()};
    for (const LanePath path : paths()) {
        const std::vector<U256> folding = folding_scalars(claims, weights, 2, path);
        std::vector<Fq> samples;
        for (const U256& index : test.values.at("ipa_sample_indices")) samples.push_back(Fq::from_int(folding[index.limb[0]]));
        check_equal<Fq>(test, "ipa_samples", samples);
    }
}

// The sum of the scalars of one point, over every place where it occurs.
Fr total_scalar(const std::vector<G1>& points, const std::vector<Fr>& scalars, const G1& point) {
    Fr sum = Fr::zero();
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (points[i] == point) sum += scalars[i];
    }
    return sum;
}

void check_joint(const TestCase& test) {
    const Rule rule("chapters 11 to 14 against the vectors");
    ProofRun run(test);
    run.run_eccvm();
    const EccvmResult& eccvm_result = run.eccvm_result;
    check_equal<Fq>(test, "inputs", std::vector<Fq>{eccvm_result.x, eccvm_result.v, eccvm_result.accumulated_result});
    const auto tables = points<G1Curve>(test, "merged_table", 4);
    for (std::size_t j = 0; j < 4; ++j) CHECK(run.merge.merged_table[j] == tables[j]);
    const G1 translator_key = points<G1Curve>(test, "translator_key", 1)[0];
    const JointInputs inputs{translator_key,
                             run.key,
                             run.oink,
                             run.merge.merged_table,
                             eccvm_result.x,
                             eccvm_result.v,
                             eccvm_result.accumulated_result};

    Transcript transcript = run.transcript;
    transcript.load(run.proof.joint);
    JointMessages m;
    receive_joint_messages(transcript, m);
    CHECK(!transcript.failed());
    check_equal<Fr>(test, "challenges", std::vector<Fr>{m.alpha, m.gate, m.libra_challenge, m.rho, m.r, m.nu, m.z});
    check_equal<Fr>(test, "u", m.u);
    const auto evaluations = translator_evaluations(m.minicircuit, m.full_size, m.u);
    const Fr sumcheck_value = joint_sumcheck_value(m, inputs, evaluations);
    CHECK(sumcheck_value == test.element<Fr>("sumcheck_value"));

    JointOpening opening;
    CHECK(open_joint(m, inputs, evaluations, sumcheck_value, opening));
    CHECK(opening.batched_evaluation == test.element<Fr>("batched_evaluation"));
    check_equal<Fr>(test, "fold_values", opening.fold_values);
    // The vectors list U and T apart, we merge what has the same commitment: compare point by point, in both directions.
    const auto expected_points = points<G1Curve>(test, "msm_points", 115);
    const auto expected_scalars = test.elements<Fr>("msm_scalars", 115);
    const std::vector<G1> own_points(opening.p0.points().begin(), opening.p0.points().end());
    const std::vector<Fr> own_scalars(opening.p0.scalars().begin(), opening.p0.scalars().end());
    std::vector<G1> all_points = expected_points;
    all_points.insert(all_points.end(), own_points.begin(), own_points.end());
    for (const G1& point : all_points) {
        CHECK(total_scalar(own_points, own_scalars, point) == total_scalar(expected_points, expected_scalars, point));
    }

    PairingCheck check_c;
    CHECK(!receive_joint(run.transcript, run.proof.joint, m) && !verify_joint(m, inputs, check_c));
    const auto pairing = points<G1Curve>(test, "pairing", 2);
    CHECK(check_c.p0.sum(LanePath::scalar) == pairing[0]);
    CHECK(check_c.p1 == pairing[1]);
}

// Combinations with equal and opposite points and infinity.
void check_combinations() {
    const Rule rule("00.7, sums of combinations");
    RandomElements random(5);
    std::vector<G1> pool{G1::infinity(), g1_generator(), -g1_generator()};
    for (int i = 0; i < 9; ++i) pool.push_back(random.point<G1Curve>());
    for (std::size_t count = 0; count < 40; ++count) {
        Combination<G1Curve> sum(g1_generator()), other(count % 2 == 0 ? g1_generator() : pool[4]);
        sum.add_constant(random.element<Fr>());
        other.add_constant(random.element<Fr>());
        for (std::size_t i = 0; i < count; ++i) {
            (i % 3 == 0 ? other : sum).add(pool[random.word() % pool.size()], random.element<Fr>());
        }
        const Fr weight = random.element<Fr>();
        const G1 expected = (Jacobian<G1Curve>::from_affine(sum.sum(LanePath::scalar)) +
                             scalar_mul<G1Curve>(other.sum(LanePath::scalar), weight))
                                .to_affine();
        sum.add_weighted(other, weight);
        CHECK(sum.sum(LanePath::scalar) == expected);
        sum.merge_equal_points();
        CHECK(sum.points().size() <= pool.size());
        for (const LanePath path : paths()) CHECK(sum.sum(path) == expected);
    }
}

// ---- Proofs side by side ----

// Chapter 09.5: the scalars of several claims are the weighted sum of those of each, and theirs are products of the inverses that
// the bits of the index choose (09.2); on each path, and for numbers of claims around those that are added up at once.
void check_folding() {
    const Rule rule("09.2 and 09.5, scalars of the generators");
    RandomElements random(29);
    std::vector<IpaClaim> claims(130);
    std::vector<const IpaClaim*> pointers;
    std::vector<Fq> weights;
    for (IpaClaim& claim : claims) {
        for (Fq& inverse : claim.inverse_challenges) inverse = random.element<Fq>();
        pointers.push_back(&claim);
        weights.push_back(random.element<Fq>());
    }
    const auto expected = [&](std::size_t count, std::size_t index) {
        Fq sum = Fq::zero();
        for (std::size_t p = 0; p < count; ++p) {
            Fq product = weights[p];
            for (std::size_t bit = 0; bit < ipa_rounds; ++bit) {
                if ((index >> bit & 1) != 0) product *= claims[p].inverse_challenges[ipa_rounds - 1 - bit];
            }
            sum += product;
        }
        return sum;
    };
    for (const LanePath path : paths()) {
        for (const std::size_t count : {1, 2, 3, 4, 7, 8, 9, 15, 17, 24, 31, 65, 130}) {
            const std::vector<U256> scalars =
                folding_scalars(std::span(pointers).first(count), std::span(weights).first(count), 1 + count % 2, path);
            CHECK(scalars.size() == ipa_size);
            CHECK(std::ranges::all_of(scalars, [](const U256& scalar) { return scalar < Fq::modulus; }));
            for (std::size_t i = 0; i < 40; ++i) {
                const std::size_t index = i < 2 ? (ipa_size - 1) * i : random.word() % ipa_size;
                CHECK(Fq::from_int(scalars[index]) == expected(count, index));
            }
        }
    }
}

void check_same(const Claim& a, const Claim& b) {
    CHECK(a.pairing_count == b.pairing_count && a.rest.has_value() == b.rest.has_value());
    for (std::size_t i = 0; i < std::min(a.pairing_count, b.pairing_count); ++i) {
        CHECK(a.pairings[i].step == b.pairings[i].step && a.pairings[i].p1 == b.pairings[i].p1);
        CHECK(std::ranges::equal(a.pairings[i].p0.points(), b.pairings[i].p0.points()));
        CHECK(std::ranges::equal(a.pairings[i].p0.scalars(), b.pairings[i].p0.scalars()));
    }
    if (a.rest && b.rest) {
        CHECK(a.rest->as_c().outcome == b.rest->as_c().outcome && a.rest->as_c().step == b.rest->as_c().step);
        CHECK(a.rest->as_c().part == b.rest->as_c().part && a.rest->as_c().position == b.rest->as_c().position);
        CHECK(std::strcmp(a.rest->as_c().message, b.rest->as_c().message) == 0);
    } else if (!a.rest && !b.rest) {
        CHECK(a.ipa.opening.commitment == b.ipa.opening.commitment && a.ipa.opening.point == b.ipa.opening.point);
        CHECK(a.ipa.generator_challenge == b.ipa.generator_challenge && a.ipa.challenges == b.ipa.challenges);
        CHECK(a.ipa.left == b.ipa.left && a.ipa.right == b.ipa.right && a.ipa.g0 == b.ipa.g0);
        CHECK(a.ipa.a0 == b.ipa.a0 && a.ipa.b0 == b.ipa.b0);
    }
}

// Every word of every claim (and so every challenge) is that of the proof reduced by itself with scalar arithmetic, in groups of
// any size, beside proofs that end early.
void check_side_by_side(const std::vector<TestCase>& cases) {
    const Rule rule("00.7, proofs that are reduced side by side");
    const Setup setup = aztec_setup();
    std::vector<ProofRun> runs;
    for (const TestCase& test : cases) {
        if (test.kind == "front" || test.kind == "eccvm") runs.emplace_back(test);
    }
    std::vector<bbipc_proof> proofs;
    std::vector<std::vector<std::uint8_t>> spoiled;
    std::vector<const Key*> keys;
    const auto add = [&](const ProofRun& run, const std::vector<std::uint8_t>& fields) {
        proofs.push_back(split_proof(fields, run.key));
        keys.push_back(&run.key);
    };
    const std::size_t places[] = {0, 300, 60, 900, 1270, 1300, 1500};  // in every part of the proof
    spoiled.reserve(std::size(places));
    for (std::size_t i = 0; i < std::size(places); ++i) {
        const ProofRun& run = runs[i % runs.size()];
        add(run, run.fields);
        spoiled.push_back(run.fields);
        spoiled.back()[32 * (places[i] % (run.fields.size() / 32)) + 31] ^= 1;
        add(run, spoiled.back());
    }
    std::vector<Claim> expected(proofs.size());
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        reduce(setup, *keys[i], proofs[i], false, CancelFlag(), LanePath::scalar, expected[i]);
    }
    std::size_t ended_early = 0;
    for (const Claim& claim : expected) ended_early += claim.rest ? 1 : 0;
    CHECK(ended_early > 2 && ended_early < proofs.size());

    const std::int32_t raised = 1;
    for (const LanePath path : paths()) {
        // One by one there are no groups: two sizes will do.
        const std::vector<std::size_t> sizes = path == LanePath::scalar
                                                   ? std::vector<std::size_t>{1, 3}
                                                   : std::vector<std::size_t>{1, 2, 3, 7, 8, 9, proofs.size()};
        for (const std::size_t size : sizes) {
            for (const std::size_t cancelled : {size, size / 2}) {  // nobody, or one of them
                std::vector<Submission> submissions;
                std::vector<Claim> claims(size);
                std::vector<Claim*> pointers;
                for (std::size_t i = 0; i < size; ++i) {
                    submissions.push_back({keys[i], &proofs[i], CancelFlag(i == cancelled ? &raised : nullptr)});
                    pointers.push_back(&claims[i]);
                }
                reduce_many(setup, submissions, false, path, pointers);
                for (std::size_t i = 0; i < size; ++i) {
                    if (i != cancelled) {
                        check_same(claims[i], expected[i]);
                    } else {
                        CHECK(claims[i].rest && claims[i].rest->is_cancelled());
                    }
                }
            }
        }
    }
}

// A record whose hashes are wrong in one lane is noticed: what follows is not what the proof says by itself. And a record of
// another message is not believed.
void check_wrong_records(const TestCase& test) {
    const Rule rule("02.4, hashes made ahead count for their message only");
    ProofRun run(test);
    run.run_eccvm();
    const OpeningClaim opening = run.opening();
    IpaClaim expected, replayed;
    CHECK(!read_ipa(Transcript(), run.proof.ipa, opening, expected));
    RecordedTranscript right, other;
    record_ipa(run.proof.ipa, opening, right);
    OpeningClaim other_opening = opening;
    other_opening.point += Fq::one();
    record_ipa(run.proof.ipa, other_opening, other);
    // The last hash that is right, and then one that is another lane's.
    for (std::size_t planted = right.count(); planted > 0;) {
        --planted;
        RecordedTranscript wrong = right;
        for (std::size_t i = 0; i < right.count(); ++i)
            wrong.add_hash(poseidon2_hash(i == planted ? other.message(i) : wrong.message(i)));
        (void)read_ipa(Transcript::replaying(wrong), run.proof.ipa, opening, replayed);
        const bool same =
            replayed.challenges == expected.challenges && replayed.generator_challenge == expected.generator_challenge;
        CHECK(same == std::ranges::equal(other.message(planted), wrong.message(planted)));
    }
    while (other.hashed() < other.count()) other.add_hash(poseidon2_hash(other.message(other.hashed())));
    CHECK(!read_ipa(Transcript::replaying(other), run.proof.ipa, opening, replayed));
    CHECK(replayed.challenges == expected.challenges && replayed.b0 == expected.b0);
}

// Acceptance is a type: no step can express it, and nobody but the final check can make one.
static_assert(!std::is_default_constructible_v<Acceptance> && !std::is_aggregate_v<Acceptance>);
static_assert(!std::is_default_constructible_v<Rejection> && !std::is_constructible_v<Rejection, std::int32_t> &&
              !std::is_constructible_v<Rejection, bbipc_verdict> && !std::is_constructible_v<Rejection, Verdict> &&
              !std::is_constructible_v<Rejection, Acceptance>);
static_assert(!std::is_constructible_v<Verdict, std::int32_t> && !std::is_constructible_v<Verdict, bbipc_verdict> &&
              !std::is_constructible_v<Verdict, Objection> && !std::is_constructible_v<Verdict, std::nullopt_t>);
template <class Step, class... Arguments>
constexpr bool only_objects = std::is_same_v<std::invoke_result_t<Step, Arguments...>, Objection>;
static_assert(only_objects<decltype(receive_oink), Transcript&, const Key&, const PartView&, OinkResult&>);
static_assert(only_objects<decltype(receive_merge), Transcript&, const PartView&, MergeMessages&>);
static_assert(only_objects<decltype(receive_eccvm), Transcript&, const PartView&, EccvmMessages&>);
static_assert(only_objects<decltype(receive_joint), Transcript&, const PartView&, JointMessages&>);
static_assert(only_objects<decltype(verify_oink), const Key&, OinkResult&>);
static_assert(only_objects<decltype(decode_hiding_kernel_io), const PartView&, HidingKernelIo&>);
static_assert(
    only_objects<decltype(verify_merge), const MergeMessages&, std::span<const G1, 4>, std::span<const G1, 4>, PairingCheck&>);
static_assert(only_objects<decltype(verify_eccvm), const EccvmMessages&, EccvmResult&>);
static_assert(only_objects<decltype(verify_joint), const JointMessages&, const JointInputs&, PairingCheck&>);
static_assert(only_objects<decltype(read_ipa), Transcript, const PartView&, const OpeningClaim&, IpaClaim&>);

// What no proof brings about: nothing that was left out may read as acceptance.
void check_undecided(const TestCase& test) {
    const Rule rule("architecture: a verdict is an error until a check has decided");
    const Setup setup = aztec_setup();
    const Claim untouched;
    const Claim* const claims[2] = {&untouched, &untouched};
    Verdict verdicts[2] = {Rejection::cancelled(), Rejection::cancelled()};
    check(setup, claims, {}, Options{}, verdicts);
    for (const Verdict& v : verdicts) CHECK(v.as_c().outcome == BBIPC_ERROR && v.as_c().message[0] != 0);
    CHECK(bbipc_verdict{}.outcome != BBIPC_VALID && Verdict().as_c().outcome == BBIPC_ERROR);
    CHECK(Rejection::cancelled().as_c().outcome == BBIPC_CANCELLED);
    CHECK(Rejection::invalid(BBIPC_STEP_IPA).as_c().outcome == BBIPC_INVALID);
    CHECK(Rejection::failure("").as_c().outcome == BBIPC_ERROR);

    // An inner-product argument whose work is stopped does not hold; one of zeros does not either, alone or with others.
    ProofRun run(test);
    run.run_eccvm();
    IpaClaim ipa;
    CHECK(!read_ipa(Transcript(), run.proof.ipa, run.opening(), ipa));
    const IpaClaim zeros{};
    const IpaClaim* const good[2] = {&ipa, &ipa};
    const IpaClaim* const mixed[2] = {&ipa, &zeros};
    const std::int32_t raised = 1;
    bool cancelled = false;
    CHECK(!check_ipa(good, Options{1, LanePath::scalar, CancelFlag(&raised)}, cancelled) && cancelled);
    CHECK(!check_ipa_alone(ipa, Options{1, LanePath::scalar, CancelFlag(&raised)}, cancelled) && cancelled);
    CHECK(check_ipa_alone(ipa, Options{}, cancelled) && !cancelled);
    CHECK(!check_ipa_alone(zeros, Options{}, cancelled) && !cancelled);
    CHECK(check_ipa(std::span(good).first(1), Options{}, cancelled) && !cancelled);
    CHECK(check_ipa(good, Options{}, cancelled) && !cancelled);
    CHECK(!check_ipa(mixed, Options{}, cancelled) && !cancelled);
    CHECK(!check_ipa(std::span(mixed).last(1), Options{}, cancelled) && !cancelled);
}

// Parts are read as one list, whatever their lengths; what is read beyond its end is an error at the end of the last part. As many
// parts as fit into the transcript's array are among them, so that AddressSanitizer sees a look at the next one.
void check_ends() {
    const Rule rule("00.4, reading beyond the end is an error");
    CHECK(!Transcript().failed());
    for (std::size_t parts = 0; parts <= 8; ++parts) {
        for (std::size_t empty = 0; empty <= parts; ++empty) {  // the part without elements, if there is one
            std::vector<std::uint8_t> words(32 * 3 * parts);
            Transcript transcript;
            std::size_t count = 0;
            PartView last;
            for (std::size_t i = 0; i < parts; ++i) {
                last = {static_cast<std::int32_t>(BBIPC_PART_HIDING_OINK + i % 5), words.data() + 32 * count,
                        i == empty ? 0 : 1 + i % 3};
                transcript.load(last);
                count += last.count;
            }
            for (std::size_t i = 0; i < count; ++i) words[32 * i + 31] = static_cast<std::uint8_t>(i + 1);
            for (std::size_t i = 0; i < count; ++i) CHECK(transcript.receive_fr() == Fr::from_u64(i + 1));
            CHECK(!transcript.failed());
            CHECK(transcript.receive_fr().is_zero() && transcript.failed());
            CHECK(transcript.error().part == last.part && transcript.error().position == static_cast<std::int64_t>(last.count));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    const CaseFile file(argv[1]);
    std::size_t seen[3] = {0, 0, 0};
    for (const TestCase& test : file.cases) {
        if (test.kind == "front") ++seen[0], check_front(test);
        if (test.kind == "front") check_undecided(test);
        if (test.kind == "eccvm") ++seen[1], check_eccvm(test);
        if (test.kind == "joint") ++seen[2], check_joint(test);
    }
    check_ends();
    check_combinations();
    check_folding();
    check_side_by_side(file.cases);
    check_wrong_records(file.cases[0]);
    CHECK(seen[0] == 1 && seen[1] == 2 && seen[2] == 2);
    return check_result();
}
