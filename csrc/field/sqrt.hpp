// Square roots: exponent (p+1)/4 where p = 3 mod 4, else Tonelli-Shanks (chapter 03 section 5) with the discrete logarithm in
// the group of 2^s-th roots of one taken seven bits at a time from a table.
#pragma once

#include <array>

#include "field.hpp"

BBIPC_BEGIN

// The 2^s-th roots of one, s = P::two_adicity, as powers of the generator z = non_residue^odd.
template <class P>
class RootsOfUnity {
    using F = Field<P>;
    static constexpr unsigned window = 7;
    static constexpr unsigned windows = P::two_adicity / window;
    static_assert(windows * window == P::two_adicity);
    static constexpr std::uint32_t group_order = std::uint32_t{1} << P::two_adicity;
    using Table = std::array<std::array<F, 1 << window>, windows>;

    // table[i][j] = z^(j 2^(7 i))
    static Table build_table() {
        U256 odd;
        sub_borrow(odd, P::modulus, U256{{1, 0, 0, 0}});
        F z = F::from_u64(P::non_residue).pow(odd.shifted_right(P::two_adicity));
        Table table;
        for (auto& row : table) {
            row[0] = F::one();
            for (std::size_t j = 1; j < row.size(); ++j) row[j] = row[j - 1] * z;
            z *= row.back();
        }
        return table;
    }
    // Made at the first use, in some ten microseconds: as data it would be 16 KiB that no wheel can compress, for each path.
    static const Table& powers_of_z() {
        static const Table table = build_table();
        return table;
    }

    static F power(std::uint32_t exponent) {  // z^exponent
        const Table& table = powers_of_z();
        F r = F::one();
        for (unsigned i = 0; i < windows; ++i) r *= table[i][exponent >> (window * i) & ((1U << window) - 1)];
        return r;
    }

  public:
    // For a root of one u = z^t: gives z^(-t/2) and true if t is even; false if t is odd.
    static bool inverse_square_root(const F& u, F& out) {
        std::array<F, windows> powers;  // powers[i] = u^(2^(7 i))
        powers[0] = u;
        for (unsigned i = 1; i < windows; ++i) {
            powers[i] = powers[i - 1];
            for (unsigned j = 0; j < window; ++j) powers[i] = powers[i].sqr();
        }
        // The low 7 i bits of t are known: what they contribute is divided out, and the rest is a power of z^(2^(7 (windows - 1))).
        std::uint32_t t = 0;
        for (unsigned i = 0; i < windows; ++i) {
            const std::uint32_t known = t << (window * (windows - 1 - i)) & (group_order - 1);
            const F v = powers[windows - 1 - i] * power((group_order - known) & (group_order - 1));
            std::uint32_t digit = 0;
            while (powers_of_z()[windows - 1][digit] != v) ++digit;
            t |= digit << (window * i);
            if ((t & 1) != 0) return false;
        }
        out = power((group_order - t / 2) & (group_order - 1));
        return true;
    }
};

template <class P>
bool Field<P>::sqrt(Field& out) const {
    if (is_zero()) {
        out = *this;
        return true;
    }
    U256 odd;
    sub_borrow(odd, modulus, U256{{1, 0, 0, 0}});
    odd = odd.shifted_right(P::two_adicity);             // p - 1 = odd * 2^s
    const Field half_power = pow(odd.shifted_right(1));  // a^((odd-1)/2)
    Field root = half_power * *this;                     // a^((odd+1)/2), whose square is a * a^odd
    if constexpr (P::two_adicity == 1) {
        if (root.sqr() != *this) return false;
    } else {
        Field correction;
        if (!RootsOfUnity<P>::inverse_square_root(root * half_power, correction)) return false;
        root *= correction;
    }
    out = root;
    return true;
}

BBIPC_END
