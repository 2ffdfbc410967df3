// Constants written as 64 hexadecimal digits, converted at compile time.
#pragma once

#include "field.hpp"

BBIPC_BEGIN

// Exactly 64 lower-case hexadecimal digits and the terminating zero; a value that is not below the modulus does not compile.
template <class F>
consteval F hex_element(const char (&digits)[65]) {
    U256 value;
    for (unsigned i = 0; i < 64; ++i) {
        const char c = digits[i];
        const bool decimal = c >= '0' && c <= '9';
        if (!decimal && !(c >= 'a' && c <= 'f')) throw "not a hexadecimal digit";
        const u64 digit = static_cast<u64>(decimal ? c - '0' : c - 'a' + 10);
        value.limb[3 - i / 16] = value.limb[3 - i / 16] << 4 | digit;
    }
    if (!(value < F::modulus)) throw "not below the modulus";
    return F::from_int(value);
}

BBIPC_END
