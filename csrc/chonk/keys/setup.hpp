// What depends on the trusted setup (chapter 01 section 8): the G2 point [x]_2 and the translator's verification key.
#pragma once

#include "../../pairing/pairing.hpp"

BBIPC_BEGIN

struct Setup {
    G2Prepared g2_one;  // [1]_2
    G2Prepared g2_x;    // [x]_2
    G1 translator_key;  // commitment of ordered_extra_range_constraints_numerator (chapter 10.3)
};

// The Aztec setup (chapters 01 section 4 and 10.3).
Setup aztec_setup();

// A setup from its bytes: [x]_2 as 128 bytes, the commitment as 64 bytes x | y. Returns null, or what is wrong with it.
const char* decode_setup(const std::uint8_t* g2_x, const std::uint8_t* translator_key, Setup& setup);

BBIPC_END
