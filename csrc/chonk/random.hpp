// Cryptographic randomness for random linear combinations.
#pragma once

#include "../field/field.hpp"

BBIPC_BEGIN

// Fills `size` bytes from the operating system. Ends the calling operation with std::runtime_error if it has none to give.
void random_bytes(void* out, std::size_t size);

// Uniform up to a bias of 2^-256.
template <class F>
F random_element() {
    U256 words[2];
    random_bytes(words, sizeof words);
    return F::reduce_wide(words[0], words[1]);
}

BBIPC_END
