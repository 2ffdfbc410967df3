// The ECCVM relations: 159 subrelations over Fq in 119 evaluations (chapter 08; the columns: chapter 07 section 7.2).
#pragma once

#include <span>

#include "../field/field.hpp"

BBIPC_BEGIN

// Columns 0..65: not shifted.
// clang-format off
#define BBIPC_ECCVM_PLAIN(X) \
    X(gemini_masking_poly) X(lagrange_first) X(lagrange_second) X(lagrange_third) X(lagrange_last) X(transcript_add) \
    X(transcript_eq) X(transcript_msm_transition) X(transcript_px) X(transcript_py) X(transcript_z1) X(transcript_z2) \
    X(transcript_z1zero) X(transcript_z2zero) X(transcript_op) X(transcript_msm_x) X(transcript_msm_y) \
    X(precompute_point_transition) X(precompute_s1lo) X(precompute_s2hi) X(precompute_s2lo) X(precompute_s3hi) \
    X(precompute_s3lo) X(precompute_s4hi) X(precompute_s4lo) X(precompute_skew) X(msm_size_of_msm) X(msm_add2) \
    X(msm_add3) X(msm_add4) X(msm_x1) X(msm_y1) X(msm_x2) X(msm_y2) X(msm_x3) X(msm_y3) X(msm_x4) X(msm_y4) \
    X(msm_collision_x1) X(msm_collision_x2) X(msm_collision_x3) X(msm_collision_x4) X(msm_lambda1) X(msm_lambda2) \
    X(msm_lambda3) X(msm_lambda4) X(msm_slice1) X(msm_slice2) X(msm_slice3) X(msm_slice4) \
    X(transcript_reset_accumulator) X(lookup_read_counts_0) X(lookup_read_counts_1) X(transcript_base_infinity) \
    X(transcript_base_x_inverse) X(transcript_base_y_inverse) X(transcript_add_x_equal) X(transcript_add_y_equal) \
    X(transcript_add_lambda) X(transcript_msm_intermediate_x) X(transcript_msm_intermediate_y) \
    X(transcript_msm_infinity) X(transcript_msm_x_inverse) X(transcript_msm_count_zero_at_transition) \
    X(transcript_msm_count_at_transition_inverse) X(msm_round_minus_31_inv)

// Columns 66..91: each also has a shift.
#define BBIPC_ECCVM_SHIFTABLE(X) \
    X(transcript_mul) X(transcript_msm_count) X(precompute_scalar_sum) X(precompute_s1hi) X(precompute_dx) \
    X(precompute_dy) X(precompute_tx) X(precompute_ty) X(msm_transition) X(msm_add) X(msm_double) X(msm_skew) \
    X(msm_accumulator_x) X(msm_accumulator_y) X(msm_count) X(msm_round) X(msm_add1) X(msm_pc) X(precompute_pc) \
    X(transcript_pc) X(precompute_round) X(precompute_select) X(transcript_accumulator_not_empty) \
    X(transcript_accumulator_x) X(transcript_accumulator_y) X(z_perm)
// clang-format on

namespace eccvm {

// Index of every evaluation: 93 committed columns, then the shifts of columns 66..91.
// clang-format off
enum Column : std::size_t {
#define X(name) name,
    BBIPC_ECCVM_PLAIN(X) BBIPC_ECCVM_SHIFTABLE(X) lookup_inverses,
#undef X
#define X(name) name##_shift,
    BBIPC_ECCVM_SHIFTABLE(X)
#undef X
};
// clang-format on

inline constexpr std::size_t committed_columns = 93;
inline constexpr std::size_t first_shiftable = 66;
inline constexpr std::size_t shifts = 26;
inline constexpr std::size_t evaluations = committed_columns + shifts;
inline constexpr std::size_t subrelations = 159;
inline constexpr std::size_t lookup_sum = 114;  // the one subrelation that the gate separator does not multiply

static_assert(transcript_mul == first_shiftable && lookup_inverses + 1 == committed_columns && z_perm_shift + 1 == evaluations);

}  // namespace eccvm

// The values of all subrelations in the order of 8.1, without gate separator. False (and nothing written) if the product whose
// inverse is `delta` (8.2) is zero: the proof is then to be rejected.
bool eccvm_subrelations(std::span<const Fq, eccvm::evaluations> evaluations, const Fq& beta, const Fq& gamma,
                        Fq (&values)[eccvm::subrelations]);

// B of 8.11: the sum of alpha^k values[k], all but the lookup sum times the gate separator.
Fq eccvm_batched_relation(std::span<const Fq, eccvm::subrelations> values, const Fq& alpha, const Fq& separator);

BBIPC_END
