// The translator relations: 154 subrelations over Fr (chapter 12), their parameters (10.4), and the reconstruction of all
// evaluations at the sumcheck point from those that the proof contains (13.2, 13.3, 13.5).
#pragma once

#include <span>

#include "../field/field.hpp"
#include "term.hpp"

BBIPC_BEGIN

namespace translator {

inline constexpr std::size_t rounds = 17;              // variables of the sumcheck
inline constexpr std::size_t minicircuit_rounds = 13;  // variables of the mini-circuit
inline constexpr std::size_t minicircuit_wires = 77;
inline constexpr std::size_t minicircuit_evaluations = 2 * minicircuit_wires;  // the wires, then their shifts
inline constexpr std::size_t full_size_evaluations = 21;
inline constexpr std::size_t concatenated_columns = 5;
inline constexpr std::size_t subrelations = 154;

using Value = Term<Fr>;

// 10.4.
struct Parameters {
    Value x[5];     // X_0..X_4
    Value v[4][5];  // V_{i,k}
    Value acc[4];   // ACC_0..ACC_3
    Value beta, gamma;
};

// The wires NAME_range_constraint_0 .. _4 and NAME_range_constraint_tail.
struct Microlimbs {
    Value m[5];
    Value tail;
};

// The mini-circuit wires in the order of 10.5: 13 non-range wires, then 64 range wires.
struct Wires {
    Value p_x_low_limbs, p_x_high_limbs, p_y_low_limbs, p_y_high_limbs, z_low_limbs, z_high_limbs;
    Value accumulators_binary_limbs[4];
    Value quotient_low_binary_limbs, quotient_high_binary_limbs, relation_wide_limbs;
    Microlimbs p_x_low, p_x_high, p_y_low, p_y_high, z_low, z_high;  // the range constraints of p_x_low_limbs and so on
    Microlimbs accumulator_low, accumulator_high, quotient_low, quotient_high;
    Value relation_wide[4];  // relation_wide_limbs_range_constraint_0 .. 3
};

// The evaluations that the proof contains at the full point, in the order of 13.3.
struct FullSize {
    Value gemini_masking_poly, ordered_extra_range_constraints_numerator;
    Value op, x_lo_y_hi, x_hi_z_1, y_lo_z_2, ordered_range_constraints[5], z_perm;
    Value x_lo_y_hi_shift, x_hi_z_1_shift, y_lo_z_2_shift, ordered_range_constraints_shift[5], z_perm_shift;
};

// The precomputed columns of 13.5 at the full point.
struct Indicators {
    Value first, last, result_row, last_in_minicircuit, real_last, ordered_masking, masking, mini_masking;
    Value even_in_minicircuit, odd_in_minicircuit;
};

// Everything at the full point (u_0 .. u_16).
struct Evaluations {
    Wires wires, wires_shift;
    FullSize full_size;
    Indicators indicators;
    Fr concatenated[concatenated_columns];
    Fr concatenated_shift[concatenated_columns];  // in no relation: for the opening (chapter 14)
};

}  // namespace translator

// x, v: the translation challenges; acc: the accumulated result (7.8).
translator::Parameters translator_parameters(const Fq& x, const Fq& v, const Fq& acc, const Fr& beta, const Fr& gamma);

// minicircuit: the 154 received evaluations at (u_0 .. u_12); full_size: the 21 received ones.
translator::Evaluations translator_evaluations(std::span<const Fr, translator::minicircuit_evaluations> minicircuit,
                                               std::span<const Fr, translator::full_size_evaluations> full_size,
                                               std::span<const Fr, translator::rounds> u);

// T_0..T_153 of chapter 12, without gate separator.
void translator_subrelations(const translator::Evaluations& evaluations, const translator::Parameters& parameters,
                             Fr (&values)[translator::subrelations]);

// value_trans of 13.4. separator: pow.
Fr translator_batched_relation(std::span<const Fr, translator::subrelations> values, const Fr& alpha, const Fr& separator);

BBIPC_END
