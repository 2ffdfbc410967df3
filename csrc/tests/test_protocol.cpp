// The protocol of chapters 04 to 10, 13 and 14 on real proofs, against the vectors of the specification.
// Argument: the file that tests/reference/protocol_cases.py writes.
#include <string>

#include "../chonk/eccvm_messages.hpp"
#include "../chonk/eccvm_opening.hpp"
#include "../chonk/eccvm_sumcheck.hpp"
#include "../chonk/hiding_kernel_io.hpp"
#include "../chonk/ipa.hpp"
#include "../chonk/joint_messages.hpp"
#include "../chonk/joint_opening.hpp"
#include "../chonk/joint_sumcheck.hpp"
#include "../chonk/merge.hpp"
#include "../chonk/oink.hpp"
#include "../chonk/verify.hpp"
#include "case_file.hpp"
#include "check.hpp"

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

// A real proof, run up to the part under test.
struct Run {
    std::vector<std::uint8_t> fields, key_data;
    Key key;
    Proof proof;
    Transcript transcript;
    OinkResult oink;
    HidingKernelIo io;
    MergeResult merge;

    explicit Run(const TestCase& test) : fields(test.bytes("fields")), key_data(test.bytes("vk")) {
        Verdict error;
        CHECK(decode_key(key_data.data(), key_data.size(), key, error));
        bbipc_proof parts{};
        CHECK(split_lengths(fields.size() / 32, key.num_public_inputs, parts.count, error));
        const std::uint8_t* next = fields.data();
        for (std::size_t i = 0; i < 5; ++i) {
            parts.part[i] = next;
            next += 32 * parts.count[i];
        }
        CHECK(view_proof(parts, proof, error));
        CHECK(verify_oink(transcript, key, proof.hiding_oink, oink).outcome == BBIPC_VALID);
        PartView public_inputs = proof.hiding_oink;
        public_inputs.count -= oink_fixed_length;
        CHECK(decode_hiding_kernel_io(public_inputs, io).outcome == BBIPC_VALID);
        const auto own = std::span<const G1, 12>(oink.witness).subspan<OinkResult::ecc_op_wire_1, 4>();
        CHECK(verify_merge(transcript, proof.merge, io.previous_table, own, merge).outcome == BBIPC_VALID);
    }
};

void check_front(const TestCase& test) {
    Run run(test);
    CHECK(run.key.hash == test.element<Fr>("vk_hash"));
    CHECK(run.oink.public_input_delta == test.element<Fr>("public_input_delta"));
    const std::vector<Fr> challenges = test.elements<Fr>("challenges", 21);
    CHECK(run.oink.beta == challenges[0]);
    CHECK(run.oink.gamma == challenges[1]);
    const auto pi = points<G1Curve>(test, "pi_pairing", 2);
    CHECK(run.io.pairing_p0 == pi[0]);
    CHECK(run.io.pairing_p1 == pi[1]);
    const auto merge = points<G1Curve>(test, "merge_pairing", 2);
    CHECK(run.merge.check.p0 == merge[0]);
    CHECK(run.merge.check.p1 == merge[1]);
    CHECK(run.transcript.pending().size() == 5);
    CHECK(run.transcript.pending()[0] == test.element<Fr>("last_hash"));
    check_equal<Fr>(test, "pending", run.transcript.pending().subspan(1));
}

// Every challenge of the ECCVM part, in the order of chapter 07.3.
std::vector<Fq> eccvm_challenges(const EccvmMessages& m) {
    std::vector<Fq> all{m.beta, m.gamma, m.alpha, m.gate, m.libra_challenge};
    all.insert(all.end(), std::begin(m.u), std::end(m.u));
    for (const Fq& c : {m.rho, m.r, m.nu, m.z, m.x, m.v, m.w, m.final_nu, m.final_z}) all.push_back(c);
    return all;
}

void check_eccvm(const TestCase& test) {
    Run run(test);
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
    for (std::size_t j = 0; j < eccvm::committed_columns; ++j) scalars.push_back(columns.sum.scalar(j));
    check_equal<Fq>(test, "column_scalars", scalars);
    CHECK(columns.sum.constant() == test.element<Fq>("constant"));
    CHECK(columns.sum.evaluate() == points<GrumpkinCurve>(test, "c1", 1)[0]);

    EccvmResult result;
    CHECK(combine_eccvm_claims(m, columns, result));
    CHECK(result.claim.commitment == points<GrumpkinCurve>(test, "claim_commitment", 1)[0]);
    check_equal<Fq>(test, "claim", std::vector<Fq>{result.claim.point, result.claim.value});
    check_equal<Fq>(test, "translation", std::vector<Fq>{result.x, result.v, result.accumulated_result});

    IpaClaim ipa;
    CHECK(read_ipa(run.proof.ipa, result.claim, ipa).outcome == BBIPC_VALID);
    CHECK(ipa.generator_challenge == test.element<Fq>("ipa_generator_challenge"));
    check_equal<Fq>(test, "ipa_challenges", ipa.challenges);
    CHECK(ipa.b0 == test.element<Fq>("ipa_b0"));
    CHECK(ipa.a0 == test.element<Fq>("ipa_a0"));
    CHECK(ipa.g0 == points<GrumpkinCurve>(test, "ipa_g0", 1)[0]);
    const IpaClaim* const claims[1] = {&ipa};
    const Fq weights[1] = {Fq::one()};
    const std::vector<Fq> folding = folding_scalars(claims, weights, 2);
    std::vector<Fq> samples;
    for (const U256& index : test.values.at("ipa_sample_indices")) samples.push_back(folding[index.limb[0]]);
    check_equal<Fq>(test, "ipa_samples", samples);
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
    Run run(test);
    EccvmResult eccvm_result;
    CHECK(verify_eccvm(run.transcript, run.proof.eccvm, eccvm_result).outcome == BBIPC_VALID);
    check_equal<Fq>(test, "inputs", std::vector<Fq>{eccvm_result.x, eccvm_result.v, eccvm_result.accumulated_result});
    const auto tables = points<G1Curve>(test, "merged_table", 4);
    for (std::size_t j = 0; j < 4; ++j) CHECK(run.merge.merged_table[j] == tables[j]);
    const G1 translator_key = points<G1Curve>(test, "translator_key", 1)[0];
    const JointInputs inputs{translator_key,       run.key,        run.oink,
                             run.merge.merged_table, eccvm_result.x, eccvm_result.v,
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
    std::vector<G1> all_points = expected_points;
    all_points.insert(all_points.end(), opening.points.begin(), opening.points.end());
    for (const G1& point : all_points) {
        CHECK(total_scalar(opening.points, opening.scalars, point) == total_scalar(expected_points, expected_scalars, point));
    }

    PairingCheck check_c;
    CHECK(verify_joint(run.transcript, run.proof.joint, inputs, check_c).outcome == BBIPC_VALID);
    const auto pairing = points<G1Curve>(test, "pairing", 2);
    CHECK(check_c.p0 == pairing[0]);
    CHECK(check_c.p1 == pairing[1]);
}

// What no proof brings about: nothing that was left out may read as acceptance.
void check_undecided(const TestCase& test) {
    const Setup setup = aztec_setup();
    const Claim untouched;
    const Claim* const claims[2] = {&untouched, &untouched};
    Verdict verdicts[2] = {verdict_valid(), verdict_valid()};
    check(setup, claims, {}, Options{}, verdicts);
    for (const Verdict& v : verdicts) CHECK(v.outcome == BBIPC_ERROR && v.message[0] != 0);
    CHECK(Verdict{}.outcome != BBIPC_VALID && verdict_undecided().outcome == BBIPC_ERROR);
    CHECK(verdict_cancelled().outcome == BBIPC_CANCELLED && verdict_invalid(BBIPC_STEP_IPA).outcome == BBIPC_INVALID);

    // An inner-product argument whose work is stopped does not hold; one of zeros does not either, alone or with others.
    Run run(test);
    EccvmResult eccvm;
    CHECK(verify_eccvm(run.transcript, run.proof.eccvm, eccvm).outcome == BBIPC_VALID);
    IpaClaim ipa;
    CHECK(read_ipa(run.proof.ipa, eccvm.claim, ipa).outcome == BBIPC_VALID);
    const IpaClaim zeros{};
    const IpaClaim* const good[2] = {&ipa, &ipa};
    const IpaClaim* const mixed[2] = {&ipa, &zeros};
    const std::int32_t raised = 1;
    bool cancelled = false;
    CHECK(!check_ipa(good, Options{1, LanePath::scalar, CancelFlag(&raised)}, cancelled) && cancelled);
    CHECK(check_ipa(std::span(good).first(1), Options{}, cancelled) && !cancelled);
    CHECK(check_ipa(good, Options{}, cancelled) && !cancelled);
    CHECK(!check_ipa(mixed, Options{}, cancelled) && !cancelled);
    CHECK(!check_ipa(std::span(mixed).last(1), Options{}, cancelled) && !cancelled);
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
    CHECK(seen[0] == 1 && seen[1] == 2 && seen[2] == 2);
    return check_result();
}
