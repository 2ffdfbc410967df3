// Factors that multiply relations in the last step of a sumcheck, as functions of its challenges u_0, u_1, ... (chapter 07
// section 7.4, chapter 13 section 13.4).
#pragma once

#include <span>

#include "../field/field.hpp"

BBIPC_BEGIN

// The gate separator: product over i of 1 + u_i (gate^(2^i) - 1).
template <class F>
F gate_separator(std::span<const F> u, const F& gate) {
    F product = F::one(), power = gate;
    for (const F& u_i : u) {
        product *= F::one() + u_i * (power - F::one());
        power = power.sqr();
    }
    return product;
}

// The indicator of rows 0..3: product over i >= 2 of 1 - u_i. It is L of 13.4, and one minus the row-disabling factor D of 7.4.
template <class F>
F first_rows_indicator(std::span<const F> u) {
    F product = F::one();
    for (const F& u_i : u.subspan(2)) product *= F::one() - u_i;
    return product;
}

BBIPC_END
