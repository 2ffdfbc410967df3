#include "eccvm.hpp"

#include "../field/hex.hpp"
#include "term.hpp"

BBIPC_BEGIN

namespace {

using Value = Term<Fq>;

// The evaluations by name, so that the formulas read as in chapter 08.
// clang-format off
struct Row {
#define X(name) Value name;
    BBIPC_ECCVM_PLAIN(X) BBIPC_ECCVM_SHIFTABLE(X)
    Value lookup_inverses;
#undef X
#define X(name) Value name##_shift;
    BBIPC_ECCVM_SHIFTABLE(X)
#undef X
};
// clang-format on

// The parameters of 8.2.
struct Parameters {
    Value beta, gamma, beta2, beta3, beta4, delta;
};

// The constants of 8.2.
constexpr Value GX = hex_element<Fq>("2728608c9bfb52035a3f2f1d18e4c604d4da7611b3e265566265e9b7d36642b2");
constexpr Value GY = hex_element<Fq>("0451a4da5a6303859c4755dac222ae1d164db7ca52a19321f46a7b88a64f7742");
constexpr Value HX = hex_element<Fq>("01771075e06c7720b9009bbdbe18558faa0f345563cf2c3aa08817fc4d2364b1");
constexpr Value HY = hex_element<Fq>("07ff59974b907528e121bae078e752dfb318c3f85d6545a20b0f35d4312f80c8");
constexpr Value CUBE_ROOT = hex_element<Fq>("000000000000000059e26bcea0d48bacd4f263f1acdb5c4f5763473177fffffe");
constexpr Value INV7 = hex_element<Fq>("1ba70841a540edceb2770343b7b7a0357b256177a9659850b4a4e256329090bb");

// ADD of 8.6: (xb, yb) is added to (xa, ya) if the selector s is 1.
struct Addition {
    Value x, y, slope, diff;
};

Addition add(const Value& xb, const Value& yb, const Value& xa, const Value& ya, const Value& l, const Value& s) {
    const Value x = sqr(l) - (xb + 2 * xa) * s + xa;
    const Value y = l * (xa - x) - 2 * ya * s + ya;
    const Value slope = s * (l * (xb - xa - 1) - (yb - ya)) + l;
    const Value diff = s * (xb - xa);
    return {x, y, slope, diff};
}

// DBL of 8.6.
struct Doubling {
    Value x, y, slope;
};

Doubling dbl(const Value& xa, const Value& ya, const Value& l) {
    const Value x = sqr(l) - 2 * xa;
    const Value y = l * (xa - x) - ya;
    const Value slope = 2 * l * ya - 3 * sqr(xa);
    return {x, y, slope};
}

// 8.3: Transcript relation.
void transcript_relation(const Row& e, std::span<Value, 31> T) {
    const Value q_add = e.transcript_add;
    const Value q_mul = e.transcript_mul;
    const Value q_mul_next = e.transcript_mul_shift;
    const Value q_eq = e.transcript_eq;
    const Value q_reset = e.transcript_reset_accumulator;
    const Value msm_end = e.transcript_msm_transition;
    const Value cnt = e.transcript_msm_count;
    const Value cnt_next = e.transcript_msm_count_shift;
    const Value px = e.transcript_px;
    const Value py = e.transcript_py;
    const Value p_inf = e.transcript_base_infinity;
    const Value ax = e.transcript_accumulator_x;
    const Value ay = e.transcript_accumulator_y;
    const Value ox = e.transcript_accumulator_x_shift;
    const Value oy = e.transcript_accumulator_y_shift;
    const Value empty = 1 - e.transcript_accumulator_not_empty;
    const Value empty_next = 1 - e.transcript_accumulator_not_empty_shift;
    const Value ix = e.transcript_msm_intermediate_x;
    const Value iy = e.transcript_msm_intermediate_y;
    const Value m_inf = e.transcript_msm_infinity;
    const Value xeq = e.transcript_add_x_equal;
    const Value yeq = e.transcript_add_y_equal;
    const Value lam = e.transcript_add_lambda;
    const Value not_first = 1 - e.lagrange_first;
    const Value not_last = 1 - e.lagrange_last;
    const Value not_hiding = 1 - e.lagrange_second;

    const Value muls = (2 - e.transcript_z1zero - e.transcript_z2zero) * (1 - p_inf);
    T[0] = e.transcript_z1 * e.transcript_z1zero;
    T[1] = e.transcript_z2 * e.transcript_z2zero;
    T[2] = 8 * q_add + 4 * q_mul + 2 * q_eq + q_reset - e.transcript_op;
    T[3] = not_first * (e.transcript_pc - e.transcript_pc_shift - q_mul * muls);

    const Value last_mul = q_mul * (1 - q_mul_next);
    const Value total = cnt + muls;
    const Value zero_flag = e.transcript_msm_count_zero_at_transition;
    T[4] = last_mul * (zero_flag * total + (1 - zero_flag) * (total * e.transcript_msm_count_at_transition_inverse - 1));
    T[5] = msm_end - last_mul * (1 - zero_flag);
    T[6] = (1 - q_mul) * cnt;
    T[7] = not_first * (1 - msm_end) * (cnt_next - cnt - q_mul * muls);
    T[8] = q_mul * (q_add + q_eq + q_reset) + q_add * (q_mul + q_eq + q_reset);

    const Value both_finite = (1 - p_inf) * (1 - empty);
    const Value one_infinite = p_inf + empty - 2 * p_inf * empty;
    T[9] = q_eq * not_hiding * ((px - ax) * both_finite + one_infinite);
    T[10] = q_eq * not_hiding * ((py - ay) * both_finite + one_infinite);
    T[11] = e.lagrange_third * (1 - empty);
    T[12] = e.lagrange_third * cnt + e.lagrange_last * e.transcript_pc;
    T[13] = (q_add + q_mul + q_eq) * (1 - p_inf) * not_hiding * (sqr(py) - cube(px) - 3);

    const Value lx = px * q_add + ix * msm_end;
    const Value ly = py * q_add + iy * msm_end;
    const Value l_inf = p_inf * q_add + m_inf * msm_end;
    const Value is_add = 1 - xeq;
    const Value is_dbl = xeq * yeq;
    const Value cancel = xeq * (1 - yeq);
    Value slope_msm = (lam * (ax - ix) - (ay - iy)) * is_add + (lam * 2 * iy - 3 * sqr(ix)) * is_dbl;
    slope_msm = slope_msm * (1 - m_inf) * (1 - empty) + lam * (m_inf + empty + cancel);
    Value slope_add = (lam * (ax - px) - (ay - py)) * is_add + (lam * 2 * py - 3 * sqr(px)) * is_dbl;
    slope_add = slope_add * (1 - p_inf) * (1 - empty) + lam * (p_inf + empty + cancel);
    T[14] = slope_msm * msm_end + slope_add * q_add;

    const Value from_left = empty * (1 - l_inf);
    const Value from_right = (1 - empty) * l_inf;
    const Value res_inf = l_inf * empty + cancel;
    const Value active = q_add + msm_end;
    const Value keep = q_mul * (1 - msm_end) + q_eq * (1 - q_reset);
    const Value no_op = not_first * (1 - q_add) * (1 - q_mul) * (1 - q_reset) * (1 - q_eq);
    Value x3 = sqr(lam) - lx - ax;
    Value y3 = lam * (lx - x3) - ly;
    x3 = x3 + from_left * (ax + 2 * lx) + from_right * (lx + 2 * ax) + res_inf * (lx + ax);
    y3 = y3 + from_left * 2 * ly + from_right * (ly + ay) + res_inf * ly;
    T[15] = (x3 - ox) * active + keep * not_last * (ox - ax) + ox * q_reset + ox * no_op;
    T[16] = (y3 - oy) * active + keep * not_last * (oy - ay) + oy * q_reset + oy * no_op;

    const Value mx = e.transcript_msm_x;
    const Value my = e.transcript_msm_y;
    const Value x_term = (ix + mx + HX) * sqr(mx - HX) - sqr(my + HY);
    const Value y_term = (HX - ix) * (my + HY) - (mx - HX) * (iy - HY);
    T[17] = msm_end * (x_term * (1 - m_inf) + m_inf * ix);
    T[18] = msm_end * (y_term * (1 - m_inf) + m_inf * iy);
    T[19] = msm_end * m_inf * (mx - HX);
    T[20] = msm_end * m_inf * (my - HY);
    T[21] = msm_end * (1 - m_inf) * ((mx - HX) * e.transcript_msm_x_inverse - 1);

    T[22] = keep * (1 - e.lagrange_first - e.lagrange_last) * (empty - empty_next) +
            not_first * (q_reset * (1 - empty_next) + active * (res_inf - empty_next)) + no_op * (1 - empty_next);
    T[23] = active * ((lx - ax) * (e.transcript_base_x_inverse * (1 - xeq) + xeq) + xeq - 1);
    T[24] = active * ((ly - ay) * (e.transcript_base_y_inverse * (1 - yeq) + yeq) + yeq - 1);
    T[25] = e.lagrange_second * (1 - q_eq);
    T[26] = e.lagrange_second * (1 - q_reset);
    T[27] = p_inf * px;
    T[28] = p_inf * py;
    T[29] = empty * ax;
    T[30] = empty * ay;
}

// 8.4: Point-table relation.
void point_table_relation(const Row& e, std::span<Value, 6> T) {
    const Value tx = e.precompute_tx;
    const Value ty = e.precompute_ty;
    const Value dx = e.precompute_dx;
    const Value dy = e.precompute_dy;
    const Value tx_next = e.precompute_tx_shift;
    const Value ty_next = e.precompute_ty_shift;
    const Value last = e.precompute_point_transition;
    const Value inner = (1 - e.lagrange_first) * (1 - last);
    T[0] = last * ((dx + 2 * tx) * 4 * sqr(ty) - 9 * sqr(sqr(tx)));
    T[1] = last * ((ty + dy) * 2 * ty + 3 * sqr(tx) * (dx - tx));
    T[2] = inner * (dx - e.precompute_dx_shift);
    T[3] = inner * (dy - e.precompute_dy_shift);
    T[4] = inner * ((tx + dx + tx_next) * sqr(dx - tx_next) - sqr(dy - ty_next));
    T[5] = inner * ((ty + ty_next) * (dx - tx_next) + (tx - tx_next) * (dy - ty_next));
}

// 8.5: WNAF relation.
void wnaf_relation(const Row& e, std::span<Value, 23> T) {
    const Value w0 = 2 * (4 * e.precompute_s1hi + e.precompute_s1lo) - 15;
    const Value w1 = 2 * (4 * e.precompute_s2hi + e.precompute_s2lo) - 15;
    const Value w2 = 2 * (4 * e.precompute_s3hi + e.precompute_s3lo) - 15;
    const Value w3 = 2 * (4 * e.precompute_s4hi + e.precompute_s4lo) - 15;
    const Value row = 4096 * w0 + 256 * w1 + 16 * w2 + w3;
    const Value sel = e.precompute_select;
    const Value sel_next = e.precompute_select_shift;
    const Value last = e.precompute_point_transition;
    const Value rnd = e.precompute_round;
    const Value rnd_next = e.precompute_round_shift;
    const Value step = rnd_next - rnd - 1;
    const Value dpc = e.precompute_pc_shift - e.precompute_pc;
    const Value gate = sel * last + e.lagrange_first;
    T[0] = (sqr(e.precompute_s1hi - 1) - 1) * (sqr(e.precompute_s1hi - 2) - 1);
    T[1] = (sqr(e.precompute_s1lo - 1) - 1) * (sqr(e.precompute_s1lo - 2) - 1);
    T[2] = (sqr(e.precompute_s2hi - 1) - 1) * (sqr(e.precompute_s2hi - 2) - 1);
    T[3] = (sqr(e.precompute_s2lo - 1) - 1) * (sqr(e.precompute_s2lo - 2) - 1);
    T[4] = (sqr(e.precompute_s3hi - 1) - 1) * (sqr(e.precompute_s3hi - 2) - 1);
    T[5] = (sqr(e.precompute_s3lo - 1) - 1) * (sqr(e.precompute_s3lo - 2) - 1);
    T[6] = (sqr(e.precompute_s4hi - 1) - 1) * (sqr(e.precompute_s4hi - 2) - 1);
    T[7] = (sqr(e.precompute_s4lo - 1) - 1) * (sqr(e.precompute_s4lo - 2) - 1);
    T[8] = sel * (1 - last) * (e.precompute_scalar_sum_shift - 65536 * e.precompute_scalar_sum - row);
    T[9] = sel * (last * (rnd - step - 7) + step);
    T[10] = gate * rnd_next;
    T[11] = gate * e.precompute_scalar_sum_shift;
    T[12] = sel * (last * (-(2 * dpc) - 1) + dpc);
    T[13] = sel * e.precompute_skew * (e.precompute_skew - 7);
    T[14] = (1 - sel) * (w0 + 15);
    T[15] = (1 - sel) * (w1 + 15);
    T[16] = (1 - sel) * (w2 + 15);
    T[17] = (1 - sel) * (w3 + 15);
    T[18] = (1 - sel) * rnd;
    T[19] = (1 - sel) * e.precompute_pc;
    T[20] = (last + e.lagrange_first) * sel_next * (e.precompute_s1hi_shift - 2) * (e.precompute_s1hi_shift - 3);
    T[21] = (1 - sel) * last;
    T[22] = (e.lagrange_first - 1) * sel_next * (sel - 1);
}

// 8.6: MSM relation.
void msm_relation(const Row& e, std::span<Value, 51> T) {
    const Value qa = e.msm_add;
    const Value qd = e.msm_double;
    const Value qs = e.msm_skew;
    const Value qa_next = e.msm_add_shift;
    const Value qd_next = e.msm_double_shift;
    const Value qs_next = e.msm_skew_shift;
    const Value ax = e.msm_accumulator_x;
    const Value ay = e.msm_accumulator_y;
    const Value ax_next = e.msm_accumulator_x_shift;
    const Value ay_next = e.msm_accumulator_y_shift;
    const Value start = e.msm_transition;
    const Value start_next = e.msm_transition_shift;
    const Value rnd = e.msm_round;
    const Value pc = e.msm_pc;
    const Value pc_next = e.msm_pc_shift;
    const Value cnt_next = e.msm_count_shift;
    const Value not_first = 1 - e.lagrange_first;

    const Value bx = GX * start + ax * (1 - start);
    const Value by = GY * start + ay * (1 - start);
    const Value a_slope1 = e.msm_lambda1 * (bx - e.msm_x1) - (by - e.msm_y1);
    const Value a_diff1 = e.msm_x1 - bx;
    const Value ux1 = sqr(e.msm_lambda1) - bx - e.msm_x1;
    const Value uy1 = e.msm_lambda1 * (e.msm_x1 - ux1) - e.msm_y1;
    const auto [ux2, uy2, a_slope2, a_diff2] = add(e.msm_x2, e.msm_y2, ux1, uy1, e.msm_lambda2, e.msm_add2);
    const auto [ux3, uy3, a_slope3, a_diff3] = add(e.msm_x3, e.msm_y3, ux2, uy2, e.msm_lambda3, e.msm_add3);
    const auto [ux4, uy4, a_slope4, a_diff4] = add(e.msm_x4, e.msm_y4, ux3, uy3, e.msm_lambda4, e.msm_add4);
    T[0] = qa * (ax_next - ux4);
    T[1] = qa * (ay_next - uy4);
    T[2] = qa * a_slope1;
    T[36] = qa * a_slope2;
    T[37] = qa * a_slope3;
    T[38] = qa * a_slope4;

    const Value k1 = e.msm_slice1 * INV7;
    const Value k2 = e.msm_slice2 * INV7;
    const Value k3 = e.msm_slice3 * INV7;
    const Value k4 = e.msm_slice4 * INV7;
    const auto [vx1, vy1, s_slope1, s_diff1] = add(e.msm_x1, e.msm_y1, ax, ay, e.msm_lambda1, k1);
    const auto [vx2, vy2, s_slope2, s_diff2] = add(e.msm_x2, e.msm_y2, vx1, vy1, e.msm_lambda2, k2);
    const auto [vx3, vy3, s_slope3, s_diff3] = add(e.msm_x3, e.msm_y3, vx2, vy2, e.msm_lambda3, k3);
    const auto [vx4, vy4, s_slope4, s_diff4] = add(e.msm_x4, e.msm_y4, vx3, vy3, e.msm_lambda4, k4);
    T[3] = qs * (ax_next - vx4);
    T[4] = qs * (ay_next - vy4);
    T[5] = qs * s_slope1;
    T[42] = qs * s_slope2;
    T[43] = qs * s_slope3;
    T[44] = qs * s_slope4;

    T[6] = (s_diff1 * qs + a_diff1 * qa) * e.msm_collision_x1 - (e.msm_add1 * qa + k1 * qs);
    T[7] = (s_diff2 * qs + a_diff2 * qa) * e.msm_collision_x2 - (e.msm_add2 * qa + k2 * qs);
    T[8] = (s_diff3 * qs + a_diff3 * qa) * e.msm_collision_x3 - (e.msm_add3 * qa + k3 * qs);
    T[9] = (s_diff4 * qs + a_diff4 * qa) * e.msm_collision_x4 - (e.msm_add4 * qa + k4 * qs);

    const auto [dx1, dy1, d_slope1] = dbl(ax, ay, e.msm_lambda1);
    const auto [dx2, dy2, d_slope2] = dbl(dx1, dy1, e.msm_lambda2);
    const auto [dx3, dy3, d_slope3] = dbl(dx2, dy2, e.msm_lambda3);
    const auto [dx4, dy4, d_slope4] = dbl(dx3, dy3, e.msm_lambda4);
    T[10] = qd * (ax_next - dx4);
    T[11] = qd * (ay_next - dy4);
    T[12] = qd * d_slope1;
    T[39] = qd * d_slope2;
    T[40] = qd * d_slope3;
    T[41] = qd * d_slope4;

    T[13] = (1 - e.msm_add1) * e.msm_slice1;
    T[14] = (1 - e.msm_add2) * e.msm_slice2;
    T[15] = (1 - e.msm_add3) * e.msm_slice3;
    T[16] = (1 - e.msm_add4) * e.msm_slice4;
    T[17] = qa * qd + qa * qs + qd * qs;

    const Value dr = e.msm_round_shift - rnd;
    const Value trans = dr * (1 - start_next);
    T[18] = trans * (dr - 1);
    T[19] = trans * qs_next * (rnd - 31);
    T[20] = trans * (qs_next + qd_next - 1);
    T[21] = trans * (1 - qd_next) * (1 - qs_next);
    T[22] = qd * (1 - qa_next);
    T[23] = dr * cnt_next;
    T[24] = (1 - start_next) * (1 - dr) * (cnt_next - e.msm_count - e.msm_add1 - e.msm_add2 - e.msm_add3 - e.msm_add4);
    T[25] = not_first * (1 - start_next) * dr * cnt_next;
    T[26] = start * rnd;
    T[27] = not_first * start_next * (e.msm_size_of_msm + pc_next - pc);
    T[28] = e.msm_add2 * (1 - e.msm_add1);
    T[29] = e.msm_add3 * (1 - e.msm_add2);
    T[30] = e.msm_add4 * (1 - e.msm_add3);
    T[31] = (qa * qa_next + qs * qs_next) * (1 - e.msm_add4) * e.msm_add1_shift;
    T[32] = e.msm_add1 - qa - qs;
    T[33] = (1 - start_next) * qs * (1 - qs_next);
    T[34] = qs * (32 - rnd);
    T[35] = (1 - dr) * qd_next;

    const Value idle = (1 - qa) * (1 - qd) * (1 - qs);
    T[45] = idle * (1 - start) * not_first * (ax_next - ax);
    T[46] = idle * (1 - start) * not_first * (ay_next - ay);
    T[47] = qd_next * (1 - (rnd - 31) * e.msm_round_minus_31_inv);
    T[48] = idle * (qa_next + qd_next + qs_next) * (start_next - 1);
    T[49] = not_first * (qa + qd) * (1 - start_next) * (pc_next - pc);
    T[50] = qs * qs_next * (pc_next - pc);
}

// 8.7: Set relation.
void set_relation(const Row& e, const Parameters& p, std::span<Value, 2> T) {
    const Value pcc = e.precompute_pc;
    const Value r4 = 4 * e.precompute_round;
    const Value last = e.precompute_point_transition;
    const Value sel = e.precompute_select;
    const Value c1 = p.gamma + pcc * p.beta + p.beta4;
    Value num = (4 * e.precompute_s1hi + e.precompute_s1lo + c1 + r4 * p.beta2);
    num = num * (4 * e.precompute_s2hi + e.precompute_s2lo + c1 + (r4 + 1) * p.beta2);
    num = num * (4 * e.precompute_s3hi + e.precompute_s3lo + c1 + (r4 + 2) * p.beta2);
    num = num * (4 * e.precompute_s4hi + e.precompute_s4lo + c1 + (r4 + 3) * p.beta2);
    num = num * (last * (e.precompute_skew + c1 + (r4 + 4) * p.beta2) + 1 - last);
    num = num * (sel * (1 - p.delta) + p.delta);
    const Value w0 = 2 * (4 * e.precompute_s1hi + e.precompute_s1lo) - 15;
    const Value w1 = 2 * (4 * e.precompute_s2hi + e.precompute_s2lo) - 15;
    const Value w2 = 2 * (4 * e.precompute_s3hi + e.precompute_s3lo) - 15;
    const Value w3 = 2 * (4 * e.precompute_s4hi + e.precompute_s4lo) - 15;
    const Value scalar = 65536 * e.precompute_scalar_sum + 4096 * w0 + 256 * w1 + 16 * w2 + w3 - e.precompute_skew * INV7;
    num =
        num * (last * (pcc + e.precompute_tx * p.beta + e.precompute_ty * p.beta2 + scalar * p.beta3 + 2 * p.beta4 + p.gamma) +
               1 - last);
    const Value end = (1 - e.lagrange_first) * e.msm_transition_shift;
    num = num * (end * (e.msm_pc_shift + e.msm_accumulator_x_shift * p.beta + e.msm_accumulator_y_shift * p.beta2 +
                        e.msm_size_of_msm * p.beta3 + 3 * p.beta4 + p.gamma) +
                 1 - end);

    const Value pc0 = e.msm_pc - e.msm_count;
    const Value c2 = p.gamma + e.msm_round * p.beta2 + p.beta4;
    Value den = e.msm_add1 * (e.msm_slice1 + pc0 * p.beta + c2) + 1 - e.msm_add1;
    den = den * (e.msm_add2 * (e.msm_slice2 + (pc0 - 1) * p.beta + c2) + 1 - e.msm_add2);
    den = den * (e.msm_add3 * (e.msm_slice3 + (pc0 - 2) * p.beta + c2) + 1 - e.msm_add3);
    den = den * (e.msm_add4 * (e.msm_slice4 + (pc0 - 3) * p.beta + c2) + 1 - e.msm_add4);
    const Value f1 = 1 - e.transcript_z1zero;
    const Value f2 = 1 - e.transcript_z2zero;
    const Value t1 = e.transcript_pc + e.transcript_px * p.beta + e.transcript_py * p.beta2 + e.transcript_z1 * p.beta3 +
                     2 * p.beta4 + p.gamma;
    const Value t2 = e.transcript_pc - f1 + CUBE_ROOT * e.transcript_px * p.beta - e.transcript_py * p.beta2 +
                     e.transcript_z2 * p.beta3 + 2 * p.beta4 + p.gamma;
    Value both = (t1 * f1 + 1 - f1) * (t2 * f2 + 1 - f2);
    both = both * (1 - e.transcript_base_infinity) + e.transcript_base_infinity;
    den = den * (e.transcript_mul * both + 1 - e.transcript_mul);
    const Value size = e.transcript_msm_count + e.transcript_mul * (f1 + f2) * (1 - e.transcript_base_infinity);
    const Value t3 = e.transcript_pc_shift + e.transcript_msm_x * p.beta + e.transcript_msm_y * p.beta2 + size * p.beta3 +
                     3 * p.beta4 + p.gamma;
    den = den * (e.transcript_msm_transition * t3 + 1 - e.transcript_msm_transition);
    T[0] = (e.z_perm + e.lagrange_first) * num - (e.z_perm_shift + e.lagrange_last) * den;
    T[1] = e.lagrange_last * e.z_perm_shift;
}

// 8.8: Lookup relation.
void lookup_relation(const Row& e, const Parameters& p, std::span<Value, 2> T) {
    const Value pc0 = e.msm_pc - e.msm_count;
    const Value e0 = pc0 + p.gamma + e.msm_slice1 * p.beta + e.msm_x1 * p.beta2 + e.msm_y1 * p.beta3;
    const Value e1 = pc0 - 1 + p.gamma + e.msm_slice2 * p.beta + e.msm_x2 * p.beta2 + e.msm_y2 * p.beta3;
    const Value e2 = pc0 - 2 + p.gamma + e.msm_slice3 * p.beta + e.msm_x3 * p.beta2 + e.msm_y3 * p.beta3;
    const Value e3 = pc0 - 3 + p.gamma + e.msm_slice4 * p.beta + e.msm_x4 * p.beta2 + e.msm_y4 * p.beta3;
    const Value e4 =
        e.precompute_pc + p.gamma + (15 - e.precompute_round) * p.beta + e.precompute_tx * p.beta2 + e.precompute_ty * p.beta3;
    const Value e5 =
        e.precompute_pc + p.gamma + e.precompute_round * p.beta + e.precompute_tx * p.beta2 - e.precompute_ty * p.beta3;
    const Value reads = e.msm_add + e.msm_skew;
    T[0] = e0 * e1 * e2 * e3 * e4 * e5 * e.lookup_inverses - (e.precompute_select + reads - e.precompute_select * reads);

    const Value read_sum = e.msm_add1 * e1 * e2 * e3 * e4 * e5 + e.msm_add2 * e0 * e2 * e3 * e4 * e5 +
                           e.msm_add3 * e0 * e1 * e3 * e4 * e5 + e.msm_add4 * e0 * e1 * e2 * e4 * e5;
    const Value write_sum = e.lookup_read_counts_0 * e0 * e1 * e2 * e3 * e5 + e.lookup_read_counts_1 * e0 * e1 * e2 * e3 * e4;
    T[1] = e.lookup_inverses * (read_sum - e.precompute_select * write_sum);
}

// clang-format off
// 8.9: Boolean relation.
void boolean_relation(const Row& e, std::span<Value, 23> T) {
    const Value columns[23] = {
        e.transcript_eq, e.transcript_add, e.transcript_mul, e.transcript_reset_accumulator,
        e.transcript_msm_transition, e.transcript_accumulator_not_empty, e.transcript_z1zero,
        e.transcript_z2zero, e.transcript_add_x_equal, e.transcript_add_y_equal, e.transcript_base_infinity,
        e.transcript_msm_infinity, e.transcript_msm_count_zero_at_transition, e.msm_transition,
        e.precompute_point_transition, e.msm_add, e.msm_double, e.msm_skew, e.precompute_select, e.msm_add1,
        e.msm_add2, e.msm_add3, e.msm_add4};
    for (std::size_t i = 0; i < 23; ++i) T[i] = columns[i] * (columns[i] - 1);
}

// 8.10: Initial zero of shiftable columns.
void shiftable_init_relation(const Row& e, std::span<Value, 21> T) {
    const Value columns[21] = {
        e.z_perm, e.transcript_accumulator_not_empty, e.precompute_select, e.transcript_mul, e.transcript_pc,
        e.precompute_scalar_sum, e.precompute_dx, e.precompute_dy, e.precompute_tx, e.precompute_ty,
        e.msm_transition, e.msm_add, e.msm_double, e.msm_skew, e.msm_accumulator_x, e.msm_accumulator_y,
        e.msm_count, e.msm_round, e.msm_add1, e.msm_pc, e.transcript_msm_count};
    for (std::size_t i = 0; i < 21; ++i) T[i] = e.lagrange_first * columns[i];
}
// clang-format on

// 8.2. False if the product to invert is zero.
bool derive_parameters(const Value& beta, const Value& gamma, Parameters& out) {
    const Value beta2 = beta * beta;
    const Value beta3 = beta2 * beta;
    const Value beta4 = beta2 * beta2;
    const Value delta_inverse =
        (gamma + beta4) * (gamma + beta2 + beta4) * (gamma + 2 * beta2 + beta4) * (gamma + 3 * beta2 + beta4);
    if (delta_inverse.value.is_zero()) return false;
    out = {beta, gamma, beta2, beta3, beta4, delta_inverse.value.inverse()};
    return true;
}

}  // namespace

bool eccvm_subrelations(std::span<const Fq, eccvm::evaluations> evaluations, const Fq& beta, const Fq& gamma,
                        Fq (&values)[eccvm::subrelations]) {
    Parameters p;
    if (!derive_parameters(beta, gamma, p)) return false;
    const Row e = by_name<Row>(evaluations);
    Value terms[eccvm::subrelations];
    const std::span<Value, eccvm::subrelations> T(terms);
    transcript_relation(e, T.subspan<0, 31>());
    point_table_relation(e, T.subspan<31, 6>());
    wnaf_relation(e, T.subspan<37, 23>());
    msm_relation(e, T.subspan<60, 51>());
    set_relation(e, p, T.subspan<111, 2>());
    lookup_relation(e, p, T.subspan<113, 2>());
    boolean_relation(e, T.subspan<115, 23>());
    shiftable_init_relation(e, T.subspan<138, 21>());
    for (std::size_t k = 0; k < eccvm::subrelations; ++k) values[k] = terms[k].value;
    return true;
}

Fq eccvm_batched_relation(std::span<const Fq, eccvm::subrelations> values, const Fq& alpha, const Fq& separator) {
    Fq power = Fq::one(), separated = Fq::zero(), lookup = Fq::zero();
    for (std::size_t k = 0; k < eccvm::subrelations; ++k) {
        (k == eccvm::lookup_sum ? lookup : separated) += power * values[k];
        power *= alpha;
    }
    return separator * separated + lookup;
}

BBIPC_END
