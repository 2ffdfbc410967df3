// Cryptographic randomness for random linear combinations.
#pragma once

#include <array>

#include "../field/field.hpp"

BBIPC_BEGIN

// Where the bytes come from. Always system_random() but in tests: nothing outside of the core can choose another.
class RandomSource {
  public:
    virtual ~RandomSource() = default;
    // As getrandom(2): writes at most `size` bytes and returns how many, or returns -1 and sets errno.
    virtual std::ptrdiff_t read(void* out, std::size_t size) const = 0;
};

// The operating system's generator.
const RandomSource& system_random();

// Fills `size` bytes; reads again after a short read or EINTR. Ends the calling operation with std::runtime_error if the source
// fails, gives nothing, or claims more than it was asked for: no weight may be a guess.
void random_bytes(const RandomSource& source, void* out, std::size_t size);

// A weight of 128 bits.
template <class F>
F random_weight(const RandomSource& source) {
    U256 words{};
    random_bytes(source, &words, 16);
    return F::from_int(words);
}

// Uniform up to a bias of 2^-256.
template <class F>
F random_element(const RandomSource& source) {
    std::array<U256, 2> words{};
    random_bytes(source, words.data(), sizeof words);
    return F::reduce_wide(words[0], words[1]);
}

BBIPC_END
