#include "mega.hpp"

#include "../field/hex.hpp"
#include "../hash/poseidon2_constants.hpp"
#include "term.hpp"

BBIPC_BEGIN

namespace {

using Value = Term<Fr>;

// The evaluations by name, so that the formulas read as in chapter 11.
// clang-format off
struct Row {
#define X(name) Value name;
    BBIPC_MEGA_PRECOMPUTED(X) BBIPC_MEGA_WITNESS(X)
#undef X
#define X(name) Value name##_shift;
    BBIPC_MEGA_SHIFTABLE(X)
#undef X
};
// clang-format on

struct Parameters {
    Value beta, gamma, delta;
};

// D_0..D_3 of chapter 11 and their sum without D_0.
constexpr Value D[4] = {poseidon2_constants::diagonal[0], poseidon2_constants::diagonal[1], poseidon2_constants::diagonal[2],
                        poseidon2_constants::diagonal[3]};
constexpr Value SIGMA = poseidon2_constants::diagonal[1] + poseidon2_constants::diagonal[2] + poseidon2_constants::diagonal[3];
constexpr Value MINUS_HALF = hex_element<Fr>("183227397098d014dc2822db40c0ac2e9419f4243cdcb848a1f0fac9f8000000");

Value fifth_power(const Value& x) { return sqr(sqr(x)) * x; }

void arithmetic(const Row& e, std::span<Value, 2> S) {
    S[0] = e.q_arith * (MINUS_HALF * (e.q_arith - 3) * e.q_m * e.w_l * e.w_r + e.q_l * e.w_l + e.q_r * e.w_r + e.q_o * e.w_o +
                        e.q_4 * e.w_4 + e.q_c + (e.q_arith - 1) * e.w_4_shift);
    S[1] = e.q_arith * (e.q_arith - 1) * (e.q_arith - 2) * (e.w_l + e.w_4 - e.w_l_shift + e.q_m);
}

void permutation(const Row& e, const Parameters& p, std::span<Value, 3> S) {
    const Value ids = (e.w_l + e.id_1 * p.beta + p.gamma) * (e.w_r + e.id_2 * p.beta + p.gamma) *
                      (e.w_o + e.id_3 * p.beta + p.gamma) * (e.w_4 + e.id_4 * p.beta + p.gamma);
    const Value sigmas = (e.w_l + e.sigma_1 * p.beta + p.gamma) * (e.w_r + e.sigma_2 * p.beta + p.gamma) *
                         (e.w_o + e.sigma_3 * p.beta + p.gamma) * (e.w_4 + e.sigma_4 * p.beta + p.gamma);
    S[0] = (e.z_perm + e.lagrange_first) * ids - (e.z_perm_shift + e.lagrange_last * p.delta) * sigmas;
    S[1] = e.lagrange_last * e.z_perm_shift;
    S[2] = e.lagrange_first * e.z_perm;
}

void delta_range(const Row& e, std::span<Value, 4> S) {
    const Value d[4] = {e.w_r - e.w_l, e.w_o - e.w_r, e.w_4 - e.w_o, e.w_l_shift - e.w_4};
    for (std::size_t i = 0; i < 4; ++i) S[i] = e.q_delta_range * d[i] * (d[i] - 1) * (d[i] - 2) * (d[i] - 3);
}

void ecc_op_queue(const Row& e, std::span<Value, 8> S) {
    S[0] = e.lagrange_ecc_op * (e.ecc_op_wire_1 - e.w_l_shift);
    S[1] = e.lagrange_ecc_op * (e.ecc_op_wire_2 - e.w_r_shift);
    S[2] = e.lagrange_ecc_op * (e.ecc_op_wire_3 - e.w_o_shift);
    S[3] = e.lagrange_ecc_op * (e.ecc_op_wire_4 - e.w_4_shift);
    S[4] = (1 - e.lagrange_ecc_op) * e.ecc_op_wire_1;
    S[5] = (1 - e.lagrange_ecc_op) * e.ecc_op_wire_2;
    S[6] = (1 - e.lagrange_ecc_op) * e.ecc_op_wire_3;
    S[7] = (1 - e.lagrange_ecc_op) * e.ecc_op_wire_4;
}

void ecc_op_boundary(const Row& e, std::span<Value, 4> S) {
    S[0] = e.ecc_op_wire_1;
    S[1] = e.ecc_op_wire_2;
    S[2] = e.ecc_op_wire_3;
    S[3] = e.ecc_op_wire_4;
}

void kernel_calldata_bus(const Row& e, const Parameters& p, std::span<Value, 4> S) {
    const Value R = e.q_busread * e.q_l;
    const Value L = e.w_l + e.w_r * p.beta + p.gamma;
    const Value T = e.kernel_calldata + e.databus_id * p.beta + p.gamma;
    const Value I = e.kernel_calldata_inverses;
    const Value C = e.kernel_calldata_read_counts;
    S[0] = (I * L * T - 1) * R;
    S[1] = (I * L * T - 1) * C;
    S[2] = (R * T - C * L) * I;
    S[3] = (1 - e.kernel_calldata_indicator) * C;
}

// S_k = selector * ((M_E u)_k - w_k') for the external matrix M_E.
void external_layer(const Row& e, const Value& selector, const Value (&u)[4], std::span<Value, 4> S) {
    S[0] = selector * (5 * u[0] + 7 * u[1] + u[2] + 3 * u[3] - e.w_l_shift);
    S[1] = selector * (4 * u[0] + 6 * u[1] + u[2] + u[3] - e.w_r_shift);
    S[2] = selector * (u[0] + 3 * u[1] + 5 * u[2] + 7 * u[3] - e.w_o_shift);
    S[3] = selector * (u[0] + u[1] + 4 * u[2] + 6 * u[3] - e.w_4_shift);
}

void poseidon2_external(const Row& e, std::span<Value, 4> S) {
    const Value u[4] = {fifth_power(e.w_l + e.q_l), fifth_power(e.w_r + e.q_r), fifth_power(e.w_o + e.q_o),
                        fifth_power(e.w_4 + e.q_4)};
    external_layer(e, e.q_poseidon2_external, u, S);
}

void poseidon2_initial_external(const Row& e, std::span<Value, 4> S) {
    external_layer(e, e.q_poseidon2_external_initial, {e.w_l, e.w_r, e.w_o, e.w_4}, S);
}

// out_0..out_3: the state after the four internal rounds of a compressed row.
struct State {
    Value lane[4];
};

State after_four_rounds(const Row& e) {
    const Value basis[7] = {e.w_r,
                            e.w_o,
                            e.w_4,
                            fifth_power(e.w_l + e.q_l),
                            fifth_power(e.w_r + e.q_r),
                            fifth_power(e.w_o + e.q_o),
                            fifth_power(e.w_4 + e.q_4)};
    State out;
    for (std::size_t i = 0; i < 4; ++i) {
        out.lane[i] = Fr::zero();
        for (std::size_t j = 0; j < 7; ++j) out.lane[i] = out.lane[i] + Value(poseidon2_constants::quad[i][j]) * basis[j];
    }
    return out;
}

void poseidon2_quad_internal(const Row& e, const State& out, std::span<Value, 4> S) {
    const Value v0 = fifth_power(e.w_l_shift + e.q_m);
    const Value v1 = fifth_power(e.w_r_shift + e.q_c);
    const Value v2 = fifth_power(e.w_o_shift + e.q_5);
    const Value b1 = e.w_r_shift - D[0] * v0;
    const Value b2 = e.w_o_shift - D[0] * v1 - 3 * v0 - 2 * b1;
    const Value b3 = e.w_4_shift - D[0] * v2 - 3 * v1 - (SIGMA + 6) * v0 - b2 - (SIGMA + 4) * b1;
    const Value o1 = out.lane[1], o2 = out.lane[2], o3 = out.lane[3];
    const Value q = e.q_poseidon2_quad_internal;
    S[0] = q * (out.lane[0] - e.w_l_shift);
    S[1] = q * (o1 + o2 + o3 - b1);
    S[2] = q * (D[1] * o1 + D[2] * o2 + D[3] * o3 - b2);
    S[3] = q * (sqr(D[1]) * o1 + sqr(D[2]) * o2 + sqr(D[3]) * o3 - b3);
}

void poseidon2_quad_internal_terminal(const Row& e, const State& out, std::span<Value, 4> S) {
    S[0] = e.q_poseidon2_quad_internal_terminal * (out.lane[0] - e.w_l_shift);
    S[1] = e.q_poseidon2_quad_internal_terminal * (out.lane[1] - e.w_r_shift);
    S[2] = e.q_poseidon2_quad_internal_terminal * (out.lane[2] - e.w_o_shift);
    S[3] = e.q_poseidon2_quad_internal_terminal * (out.lane[3] - e.w_4_shift);
}

void poseidon2_transition_entry(const Row& e, std::span<Value, 3> S) {
    const Value t0 = fifth_power(e.w_l + e.q_l);
    const Value t1 = fifth_power(e.w_r_shift + e.q_r);
    const Value t2 = fifth_power(e.w_o_shift + e.q_o);
    const Value q = e.q_poseidon2_transition_entry;
    const auto second = [](const Value& d) { return d + 2; };
    const auto third = [](const Value& d) { return sqr(d) + d + SIGMA + 4; };
    S[0] = q * (D[0] * t0 + e.w_r + e.w_o + e.w_4 - e.w_r_shift);
    S[1] = q * (D[0] * t1 + 3 * t0 + second(D[1]) * e.w_r + second(D[2]) * e.w_o + second(D[3]) * e.w_4 - e.w_o_shift);
    S[2] = q * (D[0] * t2 + 3 * t1 + (SIGMA + 6) * t0 + third(D[1]) * e.w_r + third(D[2]) * e.w_o + third(D[3]) * e.w_4 -
                e.w_4_shift);
}

}  // namespace

void mega_subrelations(std::span<const Fr, mega::evaluations> evaluations, const Fr& beta, const Fr& gamma, const Fr& delta,
                       Fr (&values)[mega::subrelations]) {
    const Row e = by_name<Row>(evaluations);
    const Parameters p{beta, gamma, delta};
    const State out = after_four_rounds(e);
    Value terms[mega::subrelations];
    const std::span<Value, mega::subrelations> S(terms);
    arithmetic(e, S.subspan<0, 2>());
    permutation(e, p, S.subspan<2, 3>());
    delta_range(e, S.subspan<5, 4>());
    ecc_op_queue(e, S.subspan<9, 8>());
    ecc_op_boundary(e, S.subspan<17, 4>());
    kernel_calldata_bus(e, p, S.subspan<21, 4>());
    poseidon2_external(e, S.subspan<25, 4>());
    poseidon2_initial_external(e, S.subspan<29, 4>());
    poseidon2_quad_internal(e, out, S.subspan<33, 4>());
    poseidon2_quad_internal_terminal(e, out, S.subspan<37, 4>());
    poseidon2_transition_entry(e, S.subspan<41, 3>());
    for (std::size_t k = 0; k < mega::subrelations; ++k) values[k] = terms[k].value;
}

Fr mega_batched_relation(std::span<const Fr, mega::subrelations> values, const Fr& alpha, const Fr& separator,
                         const Fr& first_rows) {
    Fr power = Fr::one(), main = Fr::zero(), offset_only = Fr::zero(), bus = Fr::zero();
    for (std::size_t k = 0; k < mega::subrelations; ++k) {
        const bool is_offset_only = k >= mega::first_offset_only && k < mega::first_offset_only + mega::offset_only;
        (k == mega::bus_lookup_sum ? bus : is_offset_only ? offset_only : main) += power * values[k];
        power *= alpha;
    }
    return (Fr::one() - first_rows) * (separator * main + bus) + first_rows * (separator * offset_only);
}

BBIPC_END
