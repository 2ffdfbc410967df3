#include "translator.hpp"

#include "../field/hex.hpp"

BBIPC_BEGIN

namespace {

using namespace translator;

// limb_k(2^272 - p), k = 0..3, and -p mod r (chapter 12, non-native field).
constexpr Value NP[5] = {hex_element<Fr>("000000000000000000000000000000000000000000000002c3df73e9278302b9"),
                         hex_element<Fr>("00000000000000000000000000000000000000000000000a2687e956e978e357"),
                         hex_element<Fr>("00000000000000000000000000000000000000000000000fd647afba497e7ea7"),
                         hex_element<Fr>("00000000000000000000000000000000000000000000000ffffcf9bb18d1ece5"),
                         hex_element<Fr>("30644e72e131a029b85045b68181585cb8e665ff8b0116954ba35f11078302bb")};
constexpr Value TWO_68 = hex_element<Fr>("0000000000000000000000000000000000000000000000100000000000000000");
constexpr Value TWO_136 = hex_element<Fr>("0000000000000000000000000000010000000000000000000000000000000000");

void permutation(const Evaluations& e, const Parameters& p, std::span<Value, 3> T) {
    const FullSize& f = e.full_size;
    const Value masking = e.indicators.masking * p.beta + p.gamma;
    const Value ordered_masking = e.indicators.ordered_masking * p.beta + p.gamma;
    Value num = f.ordered_extra_range_constraints_numerator + ordered_masking;
    for (std::size_t i = 0; i < 4; ++i) num = num * (e.concatenated[i] + masking);
    Value den = Fr::one();
    for (const Value& o : f.ordered_range_constraints) den = den * (o + ordered_masking);
    T[0] = (f.z_perm + e.indicators.first) * num - (f.z_perm_shift + e.indicators.last) * den;
    T[1] = e.indicators.last * f.z_perm_shift;
    T[2] = e.indicators.first * f.z_perm;
}

void delta_range(const Evaluations& e, std::span<Value, 10> T) {
    const Indicators& I = e.indicators;
    for (std::size_t i = 0; i < 5; ++i) {
        const Value o = e.full_size.ordered_range_constraints[i];
        const Value d = e.full_size.ordered_range_constraints_shift[i] - o;
        T[i] = (I.real_last + I.ordered_masking - 1) * d * (d - 1) * (d - 2) * (d - 3);
        T[5 + i] = I.real_last * (o - 16383);
    }
}

void opcode(const Evaluations& e, std::span<Value, 5> T) {
    const Value op = e.full_size.op, even = e.indicators.even_in_minicircuit, odd = e.indicators.odd_in_minicircuit;
    const Value t = (op - 3) * (op - 4) * (op - 8);
    T[0] = even * op * t + odd * op;
    for (std::size_t i = 0; i < 4; ++i) {
        T[1 + i] = even * t * (e.wires.accumulators_binary_limbs[i] - e.wires_shift.accumulators_binary_limbs[i]);
    }
}

void accumulator_transfer(const Evaluations& e, const Parameters& p, std::span<Value, 12> T) {
    const Indicators& I = e.indicators;
    for (std::size_t i = 0; i < 4; ++i) {
        const Value a = e.wires.accumulators_binary_limbs[i], a_shift = e.wires_shift.accumulators_binary_limbs[i];
        T[i] = I.odd_in_minicircuit * (I.last_in_minicircuit - 1) * (a - a_shift);
        T[4 + i] = I.last_in_minicircuit * a;
        T[8 + i] = I.result_row * (a - p.acc[i]);
    }
}

// m_0 + 2^14 m_1 + 2^28 m_2 + ...
Value join(std::span<const Value> m) {
    Value sum = m.back();
    for (std::size_t i = m.size() - 1; i-- > 0;) sum = 16384 * sum + m[i];
    return sum;
}

// a + 2^68 b
Value pair(const Value& a, const Value& b) { return a + TWO_68 * b; }

// Each value is the sum of its microlimbs: k = 0..21 of the table.
void microlimb_sums(const Wires& w, const Wires& next, std::span<Value, 22> L) {
    const auto four = [](const Microlimbs& limbs) { return join(std::span(limbs.m).first<4>()); };
    const auto five = [](const Microlimbs& limbs) { return join(limbs.m); };
    L[0] = five(w.accumulator_low) - w.accumulators_binary_limbs[0];
    L[1] = five(next.accumulator_low) - w.accumulators_binary_limbs[1];  // all four values stand in this row
    L[2] = five(w.accumulator_high) - w.accumulators_binary_limbs[2];
    L[3] = four(next.accumulator_high) - w.accumulators_binary_limbs[3];
    L[4] = five(w.p_y_low) - w.p_y_low_limbs;
    L[5] = five(next.p_y_low) - next.p_y_low_limbs;
    L[6] = five(w.p_y_high) - w.p_y_high_limbs;
    L[7] = four(next.p_y_high) - next.p_y_high_limbs;
    L[8] = five(w.z_low) - w.z_low_limbs;
    L[9] = five(next.z_low) - next.z_low_limbs;
    L[10] = five(w.z_high) - w.z_high_limbs;
    L[11] = five(next.z_high) - next.z_high_limbs;
    L[12] = five(w.p_x_low) - w.p_x_low_limbs;
    L[13] = five(next.p_x_low) - next.p_x_low_limbs;
    L[14] = five(w.p_x_high) - w.p_x_high_limbs;
    L[15] = four(next.p_x_high) - next.p_x_high_limbs;
    L[16] = five(w.quotient_low) - w.quotient_low_binary_limbs;
    L[17] = five(next.quotient_low) - next.quotient_low_binary_limbs;
    L[18] = five(w.quotient_high) - w.quotient_high_binary_limbs;
    L[19] = four(next.quotient_high) - next.quotient_high_binary_limbs;
    // The wide limbs have four microlimbs of their own; two more stand in tails that have no other use in that row.
    const auto six = [](const Value(&m)[4], const Value& m4, const Value& m5) {
        const Value limbs[6] = {m[0], m[1], m[2], m[3], m4, m5};
        return join(limbs);
    };
    L[20] = six(w.relation_wide, next.p_x_high.tail, next.accumulator_high.tail) - w.relation_wide_limbs;
    L[21] = six(next.relation_wide, next.p_y_high.tail, next.quotient_high.tail) - next.relation_wide_limbs;
}

// The highest microlimb of each value is narrower: a multiple of it is range-constrained too. k = 22..41 of the table.
void microlimb_tails(const Wires& w, const Wires& next, std::span<Value, 20> L) {
    // The highest microlimb of the fourth 68-bit limb is m_3; its multiple stands in the unused m_4.
    const auto tails = [&](auto low, auto high, u64 last_factor, std::span<Value, 4> out) {
        out[0] = 4 * (w.*low).m[4] - (w.*low).tail;
        out[1] = 4 * (next.*low).m[4] - (next.*low).tail;
        out[2] = 4 * (w.*high).m[4] - (w.*high).tail;
        out[3] = last_factor * (next.*high).m[3] - (next.*high).m[4];
    };
    tails(&Wires::p_x_low, &Wires::p_x_high, 64, L.subspan<0, 4>());
    tails(&Wires::p_y_low, &Wires::p_y_high, 64, L.subspan<4, 4>());
    L[8] = 4 * w.z_low.m[4] - w.z_low.tail;
    L[9] = 4 * next.z_low.m[4] - next.z_low.tail;
    L[10] = 1024 * w.z_high.m[4] - w.z_high.tail;
    L[11] = 1024 * next.z_high.m[4] - next.z_high.tail;
    tails(&Wires::accumulator_low, &Wires::accumulator_high, 64, L.subspan<12, 4>());
    tails(&Wires::quotient_low, &Wires::quotient_high, 16, L.subspan<16, 4>());
}

// The op queue holds pairs of limbs: k = 42..47 of the table.
void op_queue_pairs(const Wires& w, const Wires& next, const FullSize& f, std::span<Value, 6> L) {
    L[0] = pair(w.p_x_low_limbs, next.p_x_low_limbs) - f.x_lo_y_hi;
    L[1] = pair(w.p_x_high_limbs, next.p_x_high_limbs) - f.x_hi_z_1;
    L[2] = pair(w.p_y_low_limbs, next.p_y_low_limbs) - f.y_lo_z_2;
    L[3] = pair(w.p_y_high_limbs, next.p_y_high_limbs) - f.x_lo_y_hi_shift;
    L[4] = pair(w.z_low_limbs, w.z_high_limbs) - f.x_hi_z_1_shift;
    L[5] = pair(next.z_low_limbs, next.z_high_limbs) - f.y_lo_z_2_shift;
}

void decomposition(const Evaluations& e, std::span<Value, 48> T) {
    microlimb_sums(e.wires, e.wires_shift, T.subspan<0, 22>());
    microlimb_tails(e.wires, e.wires_shift, T.subspan<22, 20>());
    op_queue_pairs(e.wires, e.wires_shift, e.full_size, T.subspan<42, 6>());
    const Value even = e.indicators.even_in_minicircuit, even_op = even * e.full_size.op;
    for (std::size_t k = 0; k < 48; ++k) T[k] = (k < 4 ? even_op : even) * T[k];
}

// rec(l) = l_0 + 2^68 l_1 + 2^136 l_2 + 2^204 l_3
Value rec(const Value (&l)[4]) { return pair(l[0], pair(l[1], pair(l[2], l[3]))); }

void non_native_field(const Evaluations& e, const Parameters& p, std::span<Value, 3> T) {
    const Wires &w = e.wires, &next = e.wires_shift;
    const Value(&a)[4] = w.accumulators_binary_limbs;
    const Value(&prev)[4] = next.accumulators_binary_limbs;
    const Value zero = Fr::zero();
    const Value px[4] = {w.p_x_low_limbs, next.p_x_low_limbs, w.p_x_high_limbs, next.p_x_high_limbs};
    const Value py[4] = {w.p_y_low_limbs, next.p_y_low_limbs, w.p_y_high_limbs, next.p_y_high_limbs};
    const Value z1[4] = {w.z_low_limbs, w.z_high_limbs, zero, zero};
    const Value z2[4] = {next.z_low_limbs, next.z_high_limbs, zero, zero};
    const Value q[4] = {w.quotient_low_binary_limbs, next.quotient_low_binary_limbs, w.quotient_high_binary_limbs,
                        next.quotient_high_binary_limbs};
    const struct {
        const Value (&left)[4];
        const Value (&right)[5];
    } pairs[6] = {{prev, p.x}, {px, p.v[0]}, {py, p.v[1]}, {z1, p.v[2]}, {z2, p.v[3]}, {q, NP}};

    Value conv[4] = {zero, zero, zero, zero};
    Value native = zero;
    for (const auto& [left, right] : pairs) {
        for (std::size_t k = 0; k < 4; ++k) {
            for (std::size_t i = 0; i <= k; ++i) conv[k] = conv[k] + left[i] * right[k - i];
        }
        native = native + rec(left) * right[4];
    }
    const Value op = e.full_size.op, lo = w.relation_wide_limbs, hi = next.relation_wide_limbs;
    const Value even_op = e.indicators.even_in_minicircuit * op;
    T[0] = even_op * (conv[0] + op - a[0] + TWO_68 * (conv[1] - a[1]) - TWO_136 * lo);
    T[1] = even_op * (lo + conv[2] - a[2] + TWO_68 * (conv[3] - a[3]) - TWO_136 * hi);
    T[2] = even_op * (native + op - rec(a));
}

void zero_constraints(const Evaluations& e, std::span<Value, 68> T) {
    const Wires& w = e.wires;
    const Microlimbs* const limbs[10] = {&w.p_x_low,      &w.p_x_high,     &w.p_y_low,         &w.p_y_high,
                                         &w.z_low,        &w.z_high,       &w.accumulator_low, &w.accumulator_high,
                                         &w.quotient_low, &w.quotient_high};
    const Indicators& I = e.indicators;
    const Value selector = I.even_in_minicircuit + I.odd_in_minicircuit + I.mini_masking - 1;
    std::size_t k = 0;
    for (const Microlimbs* l : limbs) {
        for (const Value& m : l->m) T[k++] = selector * m;
    }
    for (const Value& m : w.relation_wide) T[k++] = selector * m;
    for (const Microlimbs* l : limbs) T[k++] = selector * l->tail;
    const FullSize& f = e.full_size;
    for (const Value& column : {f.op, f.x_lo_y_hi, f.x_hi_z_1, f.y_lo_z_2}) T[k++] = selector * column;
}

void first_coefficient_zero(const Evaluations& e, std::span<Value, 5> T) {
    for (std::size_t i = 0; i < 5; ++i) T[i] = e.indicators.first * e.full_size.ordered_range_constraints[i];
}

}  // namespace

void translator_subrelations(const Evaluations& e, const Parameters& p, Fr (&values)[subrelations]) {
    Value terms[subrelations];
    const std::span<Value, subrelations> T(terms);
    permutation(e, p, T.subspan<0, 3>());
    delta_range(e, T.subspan<3, 10>());
    opcode(e, T.subspan<13, 5>());
    accumulator_transfer(e, p, T.subspan<18, 12>());
    decomposition(e, T.subspan<30, 48>());
    non_native_field(e, p, T.subspan<78, 3>());
    zero_constraints(e, T.subspan<81, 68>());
    first_coefficient_zero(e, T.subspan<149, 5>());
    for (std::size_t k = 0; k < subrelations; ++k) values[k] = terms[k].value;
}

Fr translator_batched_relation(std::span<const Fr, subrelations> values, const Fr& alpha, const Fr& separator) {
    Fr power = Fr::one(), sum = Fr::zero();
    for (const Fr& value : values) {
        sum += power * value;
        power *= alpha;
    }
    return separator * sum;
}

BBIPC_END
