#include "poseidon2.hpp"

#include "poseidon2_constants.hpp"

BBIPC_BEGIN

namespace {

Fr fifth_power(const Fr& x) { return x.sqr().sqr() * x; }

// E of chapter 02 section 1 with 8 additions and 4 doublings (M4 of the Poseidon2 paper).
void external_layer(Fr (&s)[4]) {
    const Fr t0 = s[0] + s[1], t1 = s[2] + s[3];
    const Fr t2 = s[1].dbl() + t1, t3 = s[3].dbl() + t0;
    const Fr t4 = t1.dbl().dbl() + t3, t5 = t0.dbl().dbl() + t2;
    s[0] = t3 + t5;
    s[1] = t5;
    s[2] = t2 + t4;
    s[3] = t4;
}

void external_round(Fr (&s)[4], const Fr (&constants)[4]) {
    for (unsigned i = 0; i < 4; ++i) s[i] = fifth_power(s[i] + constants[i]);
    external_layer(s);
}

void internal_round(Fr (&s)[4], const Fr& constant) {
    s[0] = fifth_power(s[0] + constant);
    const Fr sum = s[0] + s[1] + s[2] + s[3];
    for (unsigned i = 0; i < 4; ++i) s[i] = poseidon2_constants::diagonal_minus_one[i] * s[i] + sum;
}

}  // namespace

void poseidon2_permute(Fr (&s)[4]) {
    external_layer(s);
    for (unsigned k = 0; k < 4; ++k) external_round(s, poseidon2_constants::external_round[k]);
    for (const Fr& constant : poseidon2_constants::internal_round) internal_round(s, constant);
    for (unsigned k = 4; k < 8; ++k) external_round(s, poseidon2_constants::external_round[k]);
}

Fr poseidon2_hash(std::span<const Fr> input) {
    Fr s[4];
    s[3] = Fr::from_int(U256{{0, input.size(), 0, 0}});
    std::size_t i = 0;
    do {
        for (std::size_t lane = 0; lane < 3 && i < input.size(); ++lane, ++i) s[lane] += input[i];
        poseidon2_permute(s);
    } while (i < input.size());
    return s[0];
}

BBIPC_END
