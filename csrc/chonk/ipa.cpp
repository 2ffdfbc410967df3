#include "ipa.hpp"

#include "../msm/msm.hpp"
#include "../msm/parallel.hpp"
#include "opening.hpp"

BBIPC_BEGIN

namespace {

// b0 = prod_i (1 + d_{14-i} z^(2^i)), the value at z of the polynomial with coefficients s_j.
Fq evaluate_challenge_polynomial(const IpaClaim& claim) {
    Fq product = Fq::one();
    Fq power = claim.opening.point;
    for (std::size_t i = 0; i < ipa_rounds; ++i) {
        product *= Fq::one() + claim.inverse_challenges[ipa_rounds - 1 - i] * power;
        power = power.sqr();
    }
    return product;
}

// The small points of check 2, scaled: adds weight * (C + f U + sum (d_i L_i + c_i R_i)); U = gen * one is collected in
// one_scalar.
struct PointSum {
    std::vector<Grumpkin> points;
    std::vector<Fq> scalars;
    Fq one_scalar;

    void add(const Grumpkin& point, const Fq& scalar) {
        points.push_back(point);
        scalars.push_back(scalar);
    }
    void add_left_side(const IpaClaim& claim, const Fq& weight) {
        add(claim.opening.commitment, weight);
        one_scalar += weight * claim.opening.value * claim.generator_challenge;
        for (std::size_t i = 0; i < ipa_rounds; ++i) {
            add(claim.left[i], weight * claim.inverse_challenges[i]);
            add(claim.right[i], weight * claim.challenges[i]);
        }
    }
    // Subtracts weight * a0 * b0 * U.
    void subtract_inner_product(const IpaClaim& claim, const Fq& weight) {
        one_scalar -= weight * claim.a0 * claim.b0 * claim.generator_challenge;
    }
    // Adds what was collected for `one`; nothing may be added afterwards.
    void close() { add(grumpkin_generator(), one_scalar); }
};

// Check 2, then check 1: the first rejects cheaply.
bool check_one(const IpaClaim& claim, const Options& options) {
    PointSum sum;
    sum.add_left_side(claim, Fq::one());
    sum.subtract_inner_product(claim, Fq::one());
    sum.add(claim.g0, -claim.a0);
    sum.close();
    if (!msm<GrumpkinCurve>(sum.points, sum.scalars).is_infinity()) return false;

    const IpaClaim* const claims[1] = {&claim};
    const Fq weights[1] = {Fq::one()};
    const std::vector<Fq> scalars = folding_scalars(claims, weights, options.threads);
    return (generators_msm(scalars.data(), ipa_size, options.threads, options.lane_path) + -claim.g0).is_infinity();
}

// sum_j (sum_p (Gm B^p - A^p a0_p) s_pj) SRS[j] + sum_p A^p Cz_p - Gm sum_p B^p G0_p - (sum_p A^p a0_p b0_p gen_p) one = 0.
bool check_many(std::span<const IpaClaim* const> claims, const Options& options, bool& cancelled) {
    const Fq a = random_element<Fq>(*options.random), b = random_element<Fq>(*options.random),
             gm = random_element<Fq>(*options.random);
    Powers<Fq> a_powers(a), b_powers(b, gm);
    std::vector<Fq> weights;
    PointSum sum;
    for (const IpaClaim* claim : claims) {
        const Fq a_power = a_powers.next(), b_power = b_powers.next();
        sum.add_left_side(*claim, a_power);
        sum.subtract_inner_product(*claim, a_power);
        sum.add(claim->g0, -b_power);
        weights.push_back(b_power - a_power * claim->a0);
    }
    sum.close();
    const std::vector<Fq> scalars = folding_scalars(claims, weights, options.threads);
    cancelled = options.cancel.raised();
    if (cancelled) return false;
    return generators_msm_with(scalars.data(), sum.points, sum.scalars, options.threads, options.lane_path).is_infinity();
}

}  // namespace

std::vector<Fq> folding_scalars(std::span<const IpaClaim* const> claims, std::span<const Fq> weights, unsigned threads) {
    // The highest bits of j make blocks, which are independent and small enough that the copy being expanded stays in the
    // first-level cache.
    constexpr std::size_t block_bits = 10, block_size = std::size_t{1} << block_bits;
    std::vector<Fq> sums(ipa_size);
    parallel_for(ipa_size / block_size, threads, [&](unsigned, std::size_t block) {
        std::array<Fq, block_size> s;
        Fq* const out = &sums[block * block_size];
        for (std::size_t p = 0; p < claims.size(); ++p) {
            const auto& d = claims[p]->inverse_challenges;
            s[0] = weights[p];
            for (std::size_t i = 0; i + block_bits < ipa_rounds; ++i) {
                if ((block >> i & 1) != 0) s[0] *= d[ipa_rounds - 1 - block_bits - i];
            }
            for (std::size_t i = 0, size = 1; i < block_bits; ++i, size *= 2) {
                for (std::size_t j = 0; j < size; ++j) s[size + j] = s[j] * d[ipa_rounds - 1 - i];
            }
            for (std::size_t j = 0; j < block_size; ++j) out[j] += s[j];
        }
    });
    return sums;
}

Verdict read_ipa(const PartView& part, const OpeningClaim& opening, IpaClaim& claim) {
    claim.opening = opening;
    Transcript transcript;
    transcript.load(part);
    transcript.absorb(opening.commitment);
    transcript.absorb(opening.point);
    transcript.absorb(opening.value);
    claim.generator_challenge = transcript.challenge().fq();
    for (std::size_t i = 0; i < ipa_rounds; ++i) {
        claim.left[i] = transcript.receive_grumpkin();
        claim.right[i] = transcript.receive_grumpkin();
        claim.challenges[i] = transcript.challenge().fq();
    }
    claim.g0 = transcript.receive_grumpkin();
    claim.a0 = transcript.receive_fq();
    if (transcript.failed()) return transcript.error();
    claim.inverse_challenges = claim.challenges;
    const bool invertible = batch_invert(std::span<Fq>(claim.inverse_challenges));
    if (claim.generator_challenge.is_zero() || !invertible) return verdict_invalid(BBIPC_STEP_IPA);
    claim.b0 = evaluate_challenge_polynomial(claim);
    return verdict_valid();
}

bool check_ipa(std::span<const IpaClaim* const> claims, const Options& options, bool& cancelled) {
    cancelled = options.cancel.raised();
    if (cancelled) return false;
    return claims.size() == 1 ? check_one(*claims[0], options) : check_many(claims, options, cancelled);
}

BBIPC_END
