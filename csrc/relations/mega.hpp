// The MegaZK relations of the hiding kernel: 44 subrelations over Fr in 45 evaluations (chapter 11).
#pragma once

#include <span>

#include "../field/field.hpp"

BBIPC_BEGIN

// clang-format off
#define BBIPC_MEGA_PRECOMPUTED(X) \
    X(q_m) X(q_l) X(q_r) X(q_o) X(q_4) X(q_c) X(q_arith) X(sigma_1) X(sigma_2) X(sigma_3) X(sigma_4) X(id_1) X(id_2) \
    X(id_3) X(id_4) X(lagrange_first) X(lagrange_last) X(q_delta_range) X(lagrange_ecc_op) X(q_busread) \
    X(kernel_calldata_indicator) X(databus_id) X(q_poseidon2_external) X(q_poseidon2_external_initial) \
    X(q_poseidon2_quad_internal) X(q_5) X(q_poseidon2_quad_internal_terminal) X(q_poseidon2_transition_entry)

#define BBIPC_MEGA_WITNESS(X) \
    X(w_l) X(w_r) X(w_o) X(w_4) X(z_perm) X(ecc_op_wire_1) X(ecc_op_wire_2) X(ecc_op_wire_3) X(ecc_op_wire_4) \
    X(kernel_calldata) X(kernel_calldata_read_counts) X(kernel_calldata_inverses)
// clang-format on

// Columns that also have a shift.
#define BBIPC_MEGA_SHIFTABLE(X) X(w_l) X(w_r) X(w_o) X(w_4) X(z_perm)

namespace mega {

// Index of every evaluation (11.1).
// clang-format off
enum Column : std::size_t {
#define X(name) name,
    BBIPC_MEGA_PRECOMPUTED(X) BBIPC_MEGA_WITNESS(X)
#undef X
#define X(name) name##_shift,
    BBIPC_MEGA_SHIFTABLE(X)
#undef X
};
// clang-format on

inline constexpr std::size_t precomputed_columns = 28;
inline constexpr std::size_t witness_columns = 12;
inline constexpr std::size_t shifts = 5;
inline constexpr std::size_t evaluations = precomputed_columns + witness_columns + shifts;
inline constexpr std::size_t subrelations = 44;
inline constexpr std::size_t bus_lookup_sum = 23;     // the one subrelation that the gate separator does not multiply
inline constexpr std::size_t first_offset_only = 17;  // 17..20 hold on rows 0..3, all others on the other rows
inline constexpr std::size_t offset_only = 4;

static_assert(w_l == precomputed_columns && w_l_shift == precomputed_columns + witness_columns);
static_assert(z_perm_shift + 1 == evaluations);

}  // namespace mega

// S_0..S_43 of 11.2, without gate separator and row factors. delta: public_input_delta of chapter 04.
void mega_subrelations(std::span<const Fr, mega::evaluations> evaluations, const Fr& beta, const Fr& gamma, const Fr& delta,
                       Fr (&values)[mega::subrelations]);

// value_mega of 13.4. separator: pow; first_rows: L.
Fr mega_batched_relation(std::span<const Fr, mega::subrelations> values, const Fr& alpha, const Fr& separator,
                         const Fr& first_rows);

BBIPC_END
