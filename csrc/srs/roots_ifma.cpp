#include "roots_ifma.hpp"

#include "../field/ifma_field.hpp"

BBIPC_BEGIN

namespace {

// q = 3 mod 4, so (q + 1) / 4 = (q >> 2) + 1.
constexpr U256 root_exponent() {
    U256 r = FqParams::modulus.shifted_right(2);
    for (unsigned i = 0; i < 4 && ++r.limb[i] == 0; ++i) {
    }
    return r;
}

constexpr unsigned window = 4, windows = 63;  // the exponent has 252 bits

// Factors are normal and below 1.02 p: so are the products (csrc/field/ifma_field.hpp).
BBIPC_IFMA void raise(V& a) {
    V powers[1 << window];
    broadcast(powers[0], Modulus52<FqParams>::one);
    for (unsigned i = 1; i < 1 << window; ++i) multiply<FqParams>(powers[i], powers[i - 1], a);
    constexpr U256 exponent = root_exponent();
    a = powers[exponent.bits(window * (windows - 1), window)];
    for (unsigned i = windows - 1; i-- > 0;) {
        for (unsigned j = 0; j < window; ++j) square<FqParams>(a, a);
        multiply<FqParams>(a, a, powers[exponent.bits(window * i, window)]);
    }
}

BBIPC_IFMA void raise_eight(Fq (&elements)[root_lanes]) {
    __m512i rows[8];
    for (int lane = 0; lane < 8; ++lane) {
        rows[lane] = _mm512_zextsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(&elements[lane])));
    }
    transpose(rows);
    V a;
    split(a, rows);
    multiply<FqParams>(a, a, Modulus52<FqParams>::to_260);
    raise(a);
    multiply<FqParams>(a, a, Modulus52<FqParams>::from_260);
    join(rows, a);
    for (int i = 4; i < 8; ++i) rows[i] = _mm512_setzero_si512();
    transpose(rows);
    for (int lane = 0; lane < 8; ++lane) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(&elements[lane]), _mm512_castsi512_si256(rows[lane]));
    }
}

}  // namespace

void root_candidates_ifma(Fq (&elements)[root_lanes]) {
    raise_eight(elements);
    for (Fq& element : elements) element.m = mod_sub_once<FqParams>(element.m);
}

BBIPC_END
