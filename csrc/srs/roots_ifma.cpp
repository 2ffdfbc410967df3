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

// So are the products of two such elements.
using Element = Normal<FqParams, 102>;

BBIPC_IFMA void raise(Element& a) {
    Element powers[1 << window];
    broadcast(powers[0], Modulus52<FqParams>::one);
    for (unsigned i = 1; i < 1 << window; ++i) multiply(powers[i], powers[i - 1], a);
    constexpr U256 exponent = root_exponent();
    a = powers[exponent.bits(window * (windows - 1), window)];
    for (unsigned i = windows - 1; i-- > 0;) {
        for (unsigned j = 0; j < window; ++j) square(a, a);
        multiply(a, a, powers[exponent.bits(window * i, window)]);
    }
}

BBIPC_IFMA void raise_eight(Fq (&elements)[root_lanes]) {
    __m512i rows[8];
    for (int lane = 0; lane < 8; ++lane) {
        rows[lane] = _mm512_zextsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(&elements[lane])));
    }
    transpose(rows);
    Normal<FqParams, 100> element;
    Element a;
    split(element, rows);
    multiply(a, element, Modulus52<FqParams>::to_260);
    raise(a);
    multiply(a, a, Modulus52<FqParams>::from_260);
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
