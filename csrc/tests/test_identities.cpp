// Rules of the specification whose loss no valid and no randomly damaged proof shows: each identity of a part on its own, also up to
// a sign, with zeros and with infinite points; points of other curves; numbers that exceed a modulus by little.
// Argument: the file that tests/reference/capi_cases.py writes.
#include "../chonk/ipa/ipa.hpp"
#include "../chonk/verify/reduce.hpp"
#include "../chonk/verify/verify.hpp"
#include "../field/sqrt.hpp"
#include "case_file.hpp"
#include "check.hpp"
#include "proof_run.hpp"
#include "random_elements.hpp"

using namespace bbipc;

namespace {

using Bytes = std::vector<std::uint8_t>;

U256 plus(const U256& a, const U256& b) {
    U256 out;
    add_carry(out, a, b);
    return out;
}

U256 power_of_two(unsigned bit) {
    U256 value{};
    value.limb[bit / 64] = u64{1} << bit % 64;
    return value;
}

bool is_invalid(const Objection& objection, std::int32_t step) {
    return objection && objection->as_c().outcome == BBIPC_INVALID && objection->as_c().step == step;
}

// ---- Identities, with the challenges held fixed ----

void test_merge(const ProofRun& run) {
    const auto judge = [&](const MergeMessages& m) {
        PairingCheck check;
        return verify_merge(m, run.io.previous_table, run.own_table(), check);
    };
    const auto is_refused = [&](const MergeMessages& m) { return is_invalid(judge(m), BBIPC_STEP_MERGE_REDUCTION); };
    // Its two checks need no real proof: with any challenges, r and g follow from l and m.
    RandomElements random(31);
    MergeMessages good = run.merge;
    CHECK(!judge(good));
    const Fr power = good.kappa.pow(U256{{7525, 0, 0, 0}});
    for (std::size_t j = 0; j < 4; ++j) {
        good.left[j] = random.element<Fr>();
        good.right[j] = random.element<Fr>();
        good.merged[j] = good.left[j] + power * good.kappa * good.right[j];
    }
    const auto g = [&](const MergeMessages& m) {
        Fr sum = Fr::zero();
        for (std::size_t j = 0; j < 4; ++j) sum += m.degree_check[j] * m.left[j];
        return sum * power.inverse();
    };
    good.reversed_value = g(good);
    CHECK(!judge(good));
    {
        const Rule rule("06, check C: l_j + kappa^l r_j = m_j for each j");
        for (std::size_t j = 0; j < 4; ++j) {
            MergeMessages bad = good;
            bad.merged[j] += Fr::one();
            CHECK(is_refused(bad));
            bad.merged[j] = -good.merged[j];
            CHECK(is_refused(bad));
            bad.merged[j] = Fr::zero();
            CHECK(is_refused(bad));
            bad = good;
            bad.right[j] = Fr::zero();
            CHECK(is_refused(bad));
            bad = good;
            bad.left[j] = Fr::zero();
            bad.reversed_value = g(bad);  // check D holds
            CHECK(is_refused(bad));
            for (std::size_t other = 0; other < 4; ++other) {  // errors that cancel each other
                if (other == j) continue;
                bad = good;
                bad.merged[j] += Fr::one();
                bad.merged[other] -= Fr::one();
                CHECK(is_refused(bad));
            }
        }
    }
    {
        const Rule rule("06, check D: sum a_j l_j = g kappa^(l-1)");
        MergeMessages bad = good;
        bad.reversed_value = -good.reversed_value;
        CHECK(is_refused(bad));
        bad.reversed_value = Fr::zero();
        CHECK(is_refused(bad));
        bad.reversed_value = good.reversed_value * good.kappa;
        CHECK(is_refused(bad));
        bad.reversed = G1::infinity();
        CHECK(is_refused(bad));
        bad = good;
        for (std::size_t j = 0; j < 4; ++j) {
            bad.left[j] = Fr::zero();
            bad.merged[j] = power * good.kappa * good.right[j];
        }
        CHECK(is_refused(bad));
        bad.reversed_value = Fr::zero();
        CHECK(!is_refused(bad));
        for (std::size_t j = 0; j < 4; ++j) {  // check C holds, and D does not
            bad = good;
            bad.left[j] += power * good.kappa;
            bad.right[j] -= Fr::one();
            CHECK(is_refused(bad));
        }
    }
}

// In how many ways spoil() changes the values of a small-subgroup argument: each of them by one, to zero, to its negative, and to
// numbers with which a term of the identity vanishes.
constexpr std::size_t spoilt_ways = 14;

template <class F>
void spoil(SubgroupEvaluations<F>& values, const F& claimed, std::size_t way) {
    F* const all[4] = {&values.secret, &values.grand_sum_next, &values.grand_sum, &values.quotient};
    if (way < 4) *all[way] += F::one();
    if (way >= 4 && way < 8) *all[way - 4] = F::zero();
    if (way >= 8 && way < 12) *all[way - 8] = -*all[way - 8];
    if (way == 12) values.grand_sum = claimed;
    if (way == 13) values.grand_sum_next = values.grand_sum;
}

void test_eccvm(const ProofRun& run) {
    const auto is_refused = [](const EccvmMessages& m) {
        EccvmResult result;
        return is_invalid(verify_eccvm(m, result), BBIPC_STEP_ECCVM);
    };
    const EccvmMessages& good = run.eccvm;
    CHECK(!is_refused(good));
    {
        const Rule rule("07.4, CHECK 1: s_0(0) + s_0(1) = Ls Lch");
        const Fq product = good.libra_sum * good.libra_challenge;
        for (const Fq& sum : {product + Fq::one(), -product, good.libra_sum, Fq::zero()}) {
            for (std::size_t i = 0; i < 2; ++i) {
                EccvmMessages bad = good;
                bad.round_values[0][i] = sum - bad.round_values[0][1 - i];
                CHECK(is_refused(bad));
            }
        }
        EccvmMessages bad = good;
        bad.round_values[0][0] = bad.round_values[0][1] = Fq::zero();
        CHECK(is_refused(bad));
        bad = good;
        bad.libra_sum = Fq::zero();
        CHECK(is_refused(bad));
        bad.round_values[0][0] = -bad.round_values[0][1];
        CHECK(!is_refused(bad));  // 0 = 0 holds
    }
    for (const bool infinite : {false, true}) {
        const Rule rule("07.5, CHECK 2 and CHECK 3, each alone");
        for (std::size_t i = 0; i < spoilt_ways; ++i) {
            EccvmMessages bad = good;
            if (infinite) bad.libra.secret = bad.libra.grand_sum = bad.libra.quotient = Grumpkin::infinity();
            CHECK(!is_refused(bad));  // no identity depends on commitments
            spoil(bad.libra.values, good.libra_evaluation, i);
            CHECK(is_refused(bad));
            bad = good;
            if (infinite) bad.translation.secret = bad.translation.grand_sum = bad.translation.quotient = Grumpkin::infinity();
            CHECK(!is_refused(bad));
            spoil(bad.translation.values, good.masking_evaluation, i);
            CHECK(is_refused(bad));
            bad.translation.values = good.libra.values;  // of the other argument
            CHECK(is_refused(bad));
        }
        for (const bool zero : {false, true}) {
            EccvmMessages bad = good;
            bad.libra_evaluation = zero ? Fq::zero() : -good.libra_evaluation;
            CHECK(is_refused(bad));
            bad = good;
            bad.masking_evaluation = zero ? Fq::zero() : -good.masking_evaluation;
            CHECK(is_refused(bad));
        }
    }
}

void test_joint(const ProofRun& run, const Setup& setup) {
    const JointInputs inputs{setup.translator_key,
                             run.key,
                             run.oink,
                             run.merge.merged_table,
                             run.eccvm_result.x,
                             run.eccvm_result.v,
                             run.eccvm_result.accumulated_result};
    const auto is_refused = [&](const JointMessages& m) {
        PairingCheck check;
        return is_invalid(verify_joint(m, inputs, check), BBIPC_STEP_JOINT_REDUCTION);
    };
    const JointMessages& good = run.joint;
    CHECK(!is_refused(good));
    {
        const Rule rule("13.1, check A: S_0(0) + S_0(1) = sigma lambda");
        const Fr product = good.libra_sum * good.libra_challenge;
        for (const Fr& sum : {product + Fr::one(), -product, good.libra_sum, Fr::zero()}) {
            for (std::size_t i = 0; i < 2; ++i) {
                JointMessages bad = good;
                bad.round_values[0][i] = sum - bad.round_values[0][1 - i];
                CHECK(is_refused(bad));
            }
        }
        JointMessages bad = good;
        bad.round_values[0][0] = bad.round_values[0][1] = Fr::zero();
        CHECK(is_refused(bad));
        bad = good;
        bad.libra_sum = Fr::zero();
        CHECK(is_refused(bad));
        bad.round_values[0][0] = -bad.round_values[0][1];
        CHECK(!is_refused(bad));
    }
    for (const bool infinite : {false, true}) {
        const Rule rule("14.5, check B");
        for (std::size_t i = 0; i < spoilt_ways + 2; ++i) {
            JointMessages bad = good;
            if (infinite) bad.libra.secret = bad.libra.grand_sum = bad.libra.quotient = G1::infinity();
            CHECK(!is_refused(bad));
            if (i < spoilt_ways) {
                spoil(bad.libra.values, good.libra_evaluation, i);
            } else {
                bad.libra_evaluation = i == spoilt_ways ? Fr::zero() : -good.libra_evaluation;
            }
            CHECK(is_refused(bad));
        }
    }
}

// ---- Public inputs ----

// The quotient of chapter 04 for any offset, also where N0 + o + i is no number of 64 bits; and a denominator of zero, whichever
// public input makes it.
void test_public_input_delta(const ProofRun& run) {
    const Rule rule("04, delta = prod (gamma + p_i + beta (N0 + o + i)) / prod (gamma + p_i - beta (o + 1 + i))");
    Key key = run.key;
    OinkResult oink = run.oink;
    for (const u64 offset : {u64{0}, u64{1}, run.key.pub_inputs_offset, u64{1} << 32, u64{1} << 63, ~u64{0} - (u64{1} << 28),
                             ~u64{0} - 5, ~u64{0}}) {
        key.pub_inputs_offset = offset;
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, run.oink.public_inputs.size()}) {
            oink.public_inputs.assign(run.oink.public_inputs.begin(),
                                      run.oink.public_inputs.begin() + static_cast<std::ptrdiff_t>(count));
            Fr numerator = Fr::one(), denominator = Fr::one();
            for (std::size_t i = 0; i < count; ++i) {
                const Fr row = Fr::from_u64(offset) + Fr::from_u64(i);
                numerator *= oink.gamma + oink.public_inputs[i] + oink.beta * (Fr::from_u64(u64{1} << 28) + row);
                denominator *= oink.gamma + oink.public_inputs[i] - oink.beta * (row + Fr::one());
            }
            CHECK(!verify_oink(key, oink) && oink.public_input_delta * denominator == numerator);
        }
    }
    const Rule zero("04, a denominator of delta that is zero");
    for (std::size_t i = 0; i < run.oink.public_inputs.size(); ++i) {
        oink = run.oink;
        oink.public_inputs[i] = oink.beta * (Fr::from_u64(run.key.pub_inputs_offset) + Fr::from_u64(1 + i)) - oink.gamma;
        CHECK(is_invalid(verify_oink(run.key, oink), BBIPC_STEP_OINK));
    }
}

void test_hiding_kernel(const ProofRun& run) {
    const Rule rule("05, the last 28 public inputs");
    const std::size_t count = run.proof.hiding_oink.count - oink_fixed_length;
    PartView inputs = run.proof.hiding_oink;
    HidingKernelIo io;
    for (const std::size_t own : {std::size_t{28}, count}) {  // any number of others may come before
        inputs.words = run.proof.hiding_oink.words + 32 * (count - own);
        inputs.count = own;
        CHECK(!decode_hiding_kernel_io(inputs, io));
        CHECK(io.pairing_p0 == run.io.pairing_p0 && io.pairing_p1 == run.io.pairing_p1);
        CHECK(io.kernel_return_data == run.io.kernel_return_data);
        CHECK(std::equal(std::begin(io.previous_table), std::end(io.previous_table), run.io.previous_table));
    }
    inputs.count = 27;
    const Objection objection = decode_hiding_kernel_io(inputs, io);
    CHECK(objection && objection->as_c().outcome == BBIPC_ERROR);

    // A key of a circuit without public inputs, and a first part of 48 elements: it is read, and lacks the inputs.
    const Rule length("04, the number of public inputs is the length less 48");
    Key key = run.key;
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}}) {
        key.num_public_inputs = n;
        PartView part = run.proof.hiding_oink;
        part.words += 32 * (count - n);
        part.count = oink_fixed_length + n;
        Transcript transcript;
        OinkResult oink;
        CHECK(!receive_oink(transcript, key, part, oink) && oink.public_inputs.size() == n && !verify_oink(key, oink));
        for (const u64 other : {u64{n + 1}, n + (u64{1} << 32), n + (u64{1} << 63), n - (u64{1} << 32)}) {
            key.num_public_inputs = other;
            Transcript again;
            const Objection objection = receive_oink(again, key, part, oink);
            CHECK(objection && objection->as_c().outcome == BBIPC_ERROR);
        }
    }
}

// ---- Decisions about points at infinity ----

void test_infinite_points(const Setup& setup) {
    const Rule rule("01.4, (infinity, infinity) passes, and with one finite point it does not");
    RandomElements random(37);
    const G1 points[3] = {G1::infinity(), g1_generator(), random.point<G1Curve>()};
    for (const std::size_t others : {0, 1}) {  // alone, and beside a check that holds
        for (std::size_t step = 0; step < 3; ++step) {
            for (const G1& p0 : points) {
                for (const G1& p1 : points) {
                    Claim claim;
                    claim.pairing_count = 3;
                    claim.rest = Rejection::invalid(BBIPC_STEP_IPA);
                    claim.pairings[step].step = BBIPC_STEP_MERGE_PAIRING;
                    claim.pairings[step].p0.add(p0, Fr::one());
                    claim.pairings[step].p1 = p1;
                    Claim good;
                    good.rest = Rejection::invalid(BBIPC_STEP_IPA);
                    const Claim* const claims[2] = {&claim, &good};
                    Verdict verdicts[2];
                    check(setup, std::span(claims).first(1 + others), {}, Options{}, std::span(verdicts).first(1 + others));
                    const bool holds = p0.is_infinity() && p1.is_infinity();
                    CHECK(verdicts[0].as_c().outcome == BBIPC_INVALID);
                    CHECK(verdicts[0].as_c().step == (holds ? BBIPC_STEP_IPA : BBIPC_STEP_MERGE_PAIRING));
                    CHECK(others == 0 || verdicts[1].as_c().step == BBIPC_STEP_IPA);
                }
            }
        }
    }
}

Jacobian<GrumpkinCurve> times(const Grumpkin& point, const Fq& scalar) { return scalar_mul(point, scalar); }

// Arguments in which G0 is infinite, or a0 zero: both checks of 9.3 hold or do not hold as for any other.
void test_arguments(const Setup& setup, const ProofRun& run) {
    Claim good;
    reduce(setup, run.key, run.parts, false, CancelFlag(), LanePath::scalar, good);
    CHECK(!good.rest);
    const auto holds = [](const IpaClaim& claim) {
        const IpaClaim* const pointer = &claim;
        bool cancelled = false;
        const bool alone = check_ipa_alone(claim, Options{}, cancelled),
                   combined = check_ipa(std::span(&pointer, 1), Options{}, cancelled);
        CHECK(alone == combined && !cancelled);
        return alone || combined;
    };
    CHECK(holds(good.ipa));
    const auto plus_point = [](const Grumpkin& p, const Jacobian<GrumpkinCurve>& q) {
        return (Jacobian<GrumpkinCurve>::from_affine(p) + q).to_affine();
    };
    {
        const Rule rule("09.3, an infinite G0 is a G0 like any other");
        IpaClaim claim = good.ipa;
        claim.g0 = Grumpkin::infinity();  // neither check holds
        CHECK(!holds(claim));
        claim.opening.commitment = plus_point(claim.opening.commitment, times(-good.ipa.g0, claim.a0));  // CHECK 2 alone holds
        CHECK(!holds(claim));
    }
    {
        const Rule rule("09.3, CHECK 1 also where a0 is zero");
        IpaClaim claim = good.ipa;
        claim.a0 = Fq::zero();
        const Grumpkin less = plus_point(claim.opening.commitment, times(-good.ipa.g0, good.ipa.a0));
        claim.opening.commitment =
            plus_point(less, times(-grumpkin_generator(), good.ipa.a0 * good.ipa.b0 * good.ipa.generator_challenge));
        CHECK(holds(claim));  // a claim about the polynomial zero
        claim.g0 = plus_point(claim.g0, Jacobian<GrumpkinCurve>::from_affine(grumpkin_generator()));
        CHECK(!holds(claim));
    }
}

// ---- Points of other curves ----

// Points (x, y) with y^2 = x^3 + c: on the curve if c is its b, and on no other, however the formulas of addition may work there.
template <class C>
void test_other_curves() {
    const Rule rule("01.2 and 01.3, points of other curves");
    using F = typename C::Base;
    RandomElements random(41);
    std::vector<F> constants{F::zero(), C::b().dbl(), C::b() * C::b(), C::b().inverse(), -C::b()};
    for (u64 k = 1; k < 20; ++k) {
        constants.push_back(F::from_u64(k));
        constants.push_back(-F::from_u64(k));
    }
    std::size_t own = 0;
    for (const F& c : constants) {
        for (unsigned found = 0; found < 3;) {
            Affine<C> p;
            p.x = random.element<F>();
            if (!(p.x.sqr() * p.x + c).sqrt(p.y)) continue;
            ++found;
            own += c == C::b() ? 1 : 0;
            CHECK(p.is_on_curve() == (c == C::b()) && (-p).is_on_curve() == (c == C::b()));
        }
    }
    CHECK(own >= 3);
    for (unsigned found = 0; found < 3;) {  // -y^2 = x^3 + b: the quadratic twist
        Affine<C> p;
        p.x = random.element<F>();
        if (!(-(p.x.sqr() * p.x + C::b())).sqrt(p.y)) continue;
        if (p.y.sqr() != p.x.sqr() * p.x + C::b()) {
            CHECK(!p.is_on_curve());
            ++found;
        } else {
            break;  // -1 is a square, and both are one curve
        }
    }
    const Affine<C> p = random.point<C>();
    CHECK(p != -p && Affine<C>::infinity() == -Affine<C>::infinity() && p != Affine<C>::infinity());
    CHECK(!(Affine<C>{F::zero(), F::one()}).is_on_curve() && Affine<C>::infinity().is_on_curve());
}

void test_twists_of_g1() {
    const Rule rule("02.3, a point of another curve is an error");
    RandomElements random(43);
    for (unsigned found = 0; found < 20;) {
        const Fq x = random.element<Fq>();
        Fq y;
        const bool twisted = !(x.sqr() * x + Fq::from_u64(3)).sqrt(y);
        if (twisted) CHECK((-(x.sqr() * x + Fq::from_u64(3))).sqrt(y));
        const FqLimbs a = split_fq(x.to_int()), b = split_fq(y.to_int());
        G1 point;
        unsigned failed = 0;
        const DecodeError error = decode_g1({a.lo, a.hi, b.lo, b.hi}, point, failed);
        CHECK(error == (twisted ? DecodeError::not_on_curve : DecodeError::none));
        found += twisted ? 1 : 0;
    }
}

// ---- Numbers near a modulus ----

// Differences to a modulus at which each of its four words decides.
std::vector<U256> differences() {
    std::vector<U256> all{U256{}};
    for (unsigned bit = 0; bit < 254; bit += bit % 64 == 63 || bit % 64 == 0 ? 1 : 31) all.push_back(power_of_two(bit));
    return all;
}

void test_near_the_modulus(const ProofRun& run) {
    for (const U256& difference : differences()) {
        U256 below;
        sub_borrow(below, Fq::modulus, plus(difference, U256{{1, 0, 0, 0}}));
        const U256 above = plus(Fq::modulus, difference);
        Fq element;
        {
            const Rule rule("02.3, lo + hi 2^136 < q");
            const FqLimbs good = split_fq(below), bad = split_fq(above);
            CHECK(decode_fq(good.lo, good.hi, element) == DecodeError::none && element.to_int() == below);
            if (above.bit_length() <= 254) CHECK(decode_fq(bad.lo, bad.hi, element) == DecodeError::not_canonical);
        }
        const Rule rule("00.3, words below r");
        for (std::size_t part = 0; part < 5; ++part) {
            for (std::size_t i = 0; i < run.parts.count[part]; i += 1 + i / 3) {
                Bytes words(run.parts.part[part], run.parts.part[part] + 32 * run.parts.count[part]);
                bbipc_proof parts = run.parts;
                parts.part[part] = words.data();
                Proof proof;
                FormatError error;
                store_be(&words[32 * i], plus(Fr::modulus, difference));
                CHECK(!view_proof(parts, proof, error) && error.position == static_cast<std::int64_t>(i));
                sub_borrow(below, Fr::modulus, plus(difference, U256{{1, 0, 0, 0}}));
                store_be(&words[32 * i], below);
                CHECK(view_proof(parts, proof, error));
            }
        }
    }
    const Rule rule("00.3, every word of every part");
    for (std::size_t part = 0; part < 5; ++part) {
        Bytes words(run.parts.part[part], run.parts.part[part] + 32 * run.parts.count[part]);
        bbipc_proof parts = run.parts;
        parts.part[part] = words.data();
        for (std::size_t i = 0; i < run.parts.count[part]; ++i) {
            Proof proof;
            FormatError error;
            const U256 word = load_be(&words[32 * i]);
            store_be(&words[32 * i], Fr::modulus);
            CHECK(!view_proof(parts, proof, error) && error.position == static_cast<std::int64_t>(i));
            store_be(&words[32 * i], word);
        }
    }
}

// ---- Hashes that were made ahead ----

// Of a recorded message every element counts, and how many there are: with any of them changed, missing or added, the challenge is
// that of the message that was really absorbed.
void test_recorded_messages() {
    const Rule rule("02.4, hashes made ahead count for their very message");
    RandomElements random(47);
    for (std::size_t size = 1; size <= 7; ++size) {
        std::vector<Fr> message;
        for (std::size_t i = 0; i < size; ++i) message.push_back(random.element<Fr>());
        const auto challenge = [](Transcript transcript, std::span<const Fr> elements) {
            for (const Fr& element : elements) transcript.absorb(element);
            return transcript.challenge().value;
        };
        RecordedTranscript record;
        Transcript recorder = Transcript::recording(record);
        for (const Fr& element : message) recorder.absorb(element);
        (void)recorder.challenge();
        record.add_hash(Fr::from_u64(5));
        CHECK(challenge(Transcript::replaying(record), message) == (U256{{5, 0, 0, 0}}));
        std::vector<std::vector<Fr>> others;
        for (std::size_t i = 0; i < size; ++i) {
            others.push_back(message);
            others.back()[i] += Fr::one();
            others.push_back(message);
            others.back().erase(others.back().begin() + static_cast<std::ptrdiff_t>(i));
        }
        others.push_back(message);
        others.back().push_back(Fr::zero());
        others.emplace_back(message.rbegin(), message.rend());
        for (const std::vector<Fr>& other : others) {
            if (other.empty() || other == message) continue;
            CHECK(challenge(Transcript::replaying(record), other) == challenge(Transcript(), other));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    Setup setup = aztec_setup();
    std::vector<ProofRun> runs;
    for (const TestCase& test : CaseFile(argv[1]).cases) {
        if (test.kind == "setup") {
            CHECK(decode_setup(test.bytes("g2_x").data(), test.bytes("translator_key").data(), setup) == nullptr);
        }
        if (test.kind == "proof" && runs.empty()) runs.emplace_back(test);
    }
    CHECK(runs.size() == 1);
    ProofRun& run = runs[0];
    run.run_eccvm();
    run.receive_joint_part();
    test_merge(run);
    test_eccvm(run);
    test_joint(run, setup);
    test_public_input_delta(run);
    test_hiding_kernel(run);
    test_other_curves<G1Curve>();
    test_other_curves<GrumpkinCurve>();
    test_twists_of_g1();
    test_near_the_modulus(run);
    test_recorded_messages();
    test_infinite_points(setup);
    test_arguments(setup, run);
    return check_result();
}
