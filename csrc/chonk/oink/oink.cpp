#include "oink.hpp"

#include <cinttypes>

BBIPC_BEGIN

namespace {

// Separates the identity permutation's public-input cells from all real ones.
constexpr u64 permutation_separator = u64{1} << 28;

// delta = prod (gamma + p_i + beta (N0 + o + i)) / prod (gamma + p_i - beta (o + 1 + i)); false if the denominator vanishes.
// The offset is any 64-bit integer, so the sums are formed in the field, where they cannot wrap.
bool public_input_delta(std::span<const Fr> public_inputs, const Fr& beta, const Fr& gamma, u64 offset, Fr& delta) {
    Fr numerator = Fr::one(), denominator = Fr::one();
    const Fr o = Fr::from_u64(offset);
    Fr plus = gamma + beta * (Fr::from_u64(permutation_separator) + o);
    Fr minus = gamma - beta * (o + Fr::one());
    for (const Fr& p : public_inputs) {
        numerator *= plus + p;
        denominator *= minus + p;
        plus += beta;
        minus -= beta;
    }
    if (denominator.is_zero()) return false;
    delta = numerator * denominator.inverse();
    return true;
}

}  // namespace

Objection receive_oink(Transcript& transcript, const Key& key, const PartView& part, OinkResult& result) {
    const auto unreadable = [](const FormatError& error) { return Rejection::unreadable(error, BBIPC_STEP_OINK); };
    transcript.load(part);
    if (part.count < oink_fixed_length) {
        return unreadable(FormatError::at(
            part.part, -1, "MegaZK Oink proof too short to derive num_public_inputs: at least %" PRIu64 " elements, got %zu",
            oink_fixed_length, part.count));
    }
    const std::size_t n = part.count - oink_fixed_length;
    transcript.absorb(key.hash);
    if (n != key.num_public_inputs) {
        return unreadable(FormatError::at(part.part, -1, "number of public inputs: the key says %" PRIu64 ", the proof has %zu",
                                          key.num_public_inputs, n));
    }
    result.public_inputs.resize(n);
    for (Fr& p : result.public_inputs) p = transcript.receive_fr();

    using W = OinkResult;
    for (const auto column : {W::w_l, W::w_r, W::w_o, W::ecc_op_wire_1, W::ecc_op_wire_2, W::ecc_op_wire_3, W::ecc_op_wire_4,
                              W::kernel_calldata, W::kernel_calldata_read_counts, W::w_4}) {
        result.witness[column] = transcript.receive_g1();
    }
    Challenge beta_gamma[2];
    transcript.challenges(beta_gamma);
    result.beta = beta_gamma[0].fr();
    result.gamma = beta_gamma[1].fr();
    result.witness[W::kernel_calldata_inverses] = transcript.receive_g1();
    result.witness[W::z_perm] = transcript.receive_g1();
    if (transcript.failed()) return unreadable(transcript.error());
    return std::nullopt;
}

Objection verify_oink(const Key& key, OinkResult& result) {
    if (!public_input_delta(result.public_inputs, result.beta, result.gamma, key.pub_inputs_offset,
                            result.public_input_delta)) {
        return Rejection::invalid(BBIPC_STEP_OINK);
    }
    return std::nullopt;
}

BBIPC_END
