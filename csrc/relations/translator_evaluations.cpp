// Parameters and evaluations of the translator (10.4, 13.2, 13.3, 13.5).
#include "translator.hpp"

BBIPC_BEGIN

namespace {

using namespace translator;

// limb_k of 10.4: bits 68k .. 68k + 67.
Fr limb(const U256& a, unsigned k) {
    const U256 shifted = a.shifted_right(68 * k);
    return Fr::from_int(U256{{shifted.limb[0], shifted.limb[1] & 0xf, 0, 0}});
}

// limb_0 .. limb_3, and the whole number modulo r.
void decompose(const Fq& a, Value (&out)[5]) {
    const U256 number = a.to_int();
    for (unsigned k = 0; k < 4; ++k) out[k] = limb(number, k);
    out[4] = Fr::reduce(number);
}

// B_0 .. B_15 of 13.2: the Lagrange polynomials of the blocks.
std::array<Fr, 16> block_factors(std::span<const Fr, rounds> u) {
    std::array<Fr, 16> b{Fr::one()};
    for (std::size_t k = 0, filled = 1; k < rounds - minicircuit_rounds; ++k, filled *= 2) {
        for (std::size_t j = 0; j < filled; ++j) {
            b[filled + j] = b[j] * u[minicircuit_rounds + k];
            b[j] -= b[filled + j];
        }
    }
    return b;
}

// The wires at the full point: they are zero outside block 0.
Wires extend(std::span<const Fr, minicircuit_wires> received, const Fr& block) {
    std::array<Fr, minicircuit_wires> scaled;
    for (std::size_t i = 0; i < minicircuit_wires; ++i) scaled[i] = block * received[i];
    return by_name<Wires>(std::span<const Fr, minicircuit_wires>(scaled));
}

// Block j of a concatenated column is wire j of its group: range wires 0..15, 16..31, 32..47, 48..63; the 13 non-range wires.
void concatenate(std::span<const Fr, minicircuit_wires> received, const std::array<Fr, 16>& blocks,
                 Fr (&out)[concatenated_columns]) {
    constexpr std::size_t non_range = 13, group = 16;
    const auto combine = [&](std::span<const Fr> wires) {
        Fr sum = Fr::zero();
        for (std::size_t j = 0; j < wires.size(); ++j) sum += blocks[j] * wires[j];
        return sum;
    };
    for (std::size_t i = 0; i < 4; ++i) out[i] = combine(received.subspan(non_range + group * i, group));
    out[4] = combine(received.first(non_range));
}

// The table of 13.5.
Indicators indicators(std::span<const Fr, rounds> u) {
    const auto ones = [&](std::size_t first, std::size_t last) {  // product of u_k
        Value product = u[first];
        for (std::size_t k = first + 1; k <= last; ++k) product = product * Value(u[k]);
        return product;
    };
    const auto zeros = [&](std::size_t first, std::size_t last) {  // product of 1 - u_k
        Value product = Fr::one() - u[first];
        for (std::size_t k = first + 1; k <= last; ++k) product = product * (1 - Value(u[k]));
        return product;
    };
    const Value last_four = ones(2, 12), block_0 = zeros(13, 16);
    const Value rows = block_0 * (1 - zeros(3, 12) - last_four);
    Indicators r;
    r.first = zeros(0, 16);
    r.last = ones(0, 16);
    r.result_row = zeros(0, 2) * ones(3, 3) * zeros(4, 16);
    r.last_in_minicircuit = ones(0, 1) * zeros(2, 2) * ones(3, 12) * block_0;
    r.real_last = ones(0, 5) * zeros(6, 6) * ones(7, 16);
    r.ordered_masking = ones(6, 16);
    r.masking = last_four;
    r.mini_masking = zeros(3, 16) - zeros(1, 16) + last_four * block_0;
    r.even_in_minicircuit = zeros(0, 0) * rows;
    r.odd_in_minicircuit = ones(0, 0) * rows;
    return r;
}

}  // namespace

Parameters translator_parameters(const Fq& x, const Fq& v, const Fq& acc, const Fr& beta, const Fr& gamma) {
    Parameters p;
    decompose(x, p.x);
    Fq power = v;
    for (auto& limbs : p.v) {
        decompose(power, limbs);
        power *= v;
    }
    const U256 number = acc.to_int();
    for (unsigned k = 0; k < 4; ++k) p.acc[k] = limb(number, k);
    p.beta = beta;
    p.gamma = gamma;
    return p;
}

Evaluations translator_evaluations(std::span<const Fr, minicircuit_evaluations> minicircuit,
                                   std::span<const Fr, full_size_evaluations> full_size, std::span<const Fr, rounds> u) {
    const auto wires = minicircuit.first<minicircuit_wires>(), wires_shift = minicircuit.last<minicircuit_wires>();
    const std::array<Fr, 16> blocks = block_factors(u);
    Evaluations e;
    e.wires = extend(wires, blocks[0]);
    e.wires_shift = extend(wires_shift, blocks[0]);
    e.full_size = by_name<FullSize>(full_size);
    e.indicators = indicators(u);
    concatenate(wires, blocks, e.concatenated);
    concatenate(wires_shift, blocks, e.concatenated_shift);
    return e;
}

BBIPC_END
