// Signed-digit expansions of the loop constants, computed at compile time.
#pragma once

#include <array>

#include "../field/u256.hpp"

BBIPC_BEGIN

// Digits, least significant first: sum of digit[i] 2^i for i < length.
struct SignedDigits {
    std::array<int, 70> digit{};
    unsigned length = 0;
};

// Width-w non-adjacent form of k > 0: digits are 0 or odd with absolute value below 2^(w-1), and of any w consecutive ones
// at most one is not 0.
constexpr SignedDigits non_adjacent_form(u128 k, unsigned w) {
    SignedDigits r;
    while (k != 0) {
        int d = 0;
        if ((k & 1) != 0) {
            const int modulus = 1 << w;
            d = static_cast<int>(k % static_cast<u128>(modulus));
            if (d >= modulus / 2) d -= modulus;
            k = d < 0 ? k + static_cast<u128>(-d) : k - static_cast<u128>(d);
        }
        r.digit[r.length++] = d;
        k /= 2;
    }
    return r;
}

// The same value with leading digits 1, 0, -1 (4 - 1) written 1, 1 (2 + 1): one doubling less.
constexpr SignedDigits shortened(SignedDigits a) {
    const unsigned n = a.length;
    if (n >= 3 && a.digit[n - 1] == 1 && a.digit[n - 2] == 0 && a.digit[n - 3] == -1) {
        a.digit[n - 1] = 0;
        a.digit[n - 2] = 1;
        a.digit[n - 3] = 1;
        a.length = n - 1;
    }
    return a;
}

constexpr unsigned nonzero_digits(const SignedDigits& a) {
    unsigned count = 0;
    for (unsigned i = 0; i < a.length; ++i) count += a.digit[i] != 0 ? 1 : 0;
    return count;
}

BBIPC_END
