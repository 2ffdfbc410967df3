#include "key.hpp"

#include "../../hash/poseidon2.hpp"

BBIPC_BEGIN

bool decode_key(const std::uint8_t* bytes, std::size_t length, Key& key, FormatError& error) {
    if (length != key_bytes) {
        error =
            FormatError::at(BBIPC_PART_KEY, -1, "verification key has wrong size: expected %zu, got %zu", key_bytes, length);
        return false;
    }
    Fr elements[key_words];  // what is hashed
    U256 integers[key_words];
    for (std::size_t i = 0; i < key_words; ++i) {
        elements[i] = Fr::reduce(load_be(bytes + 32 * i));
        integers[i] = elements[i].to_int();
        if (i < 3) elements[i] = Fr::from_u64(integers[i].limb[0]);  // the integers are truncated to 64 bits
    }
    key.log_circuit_size = integers[0].limb[0];
    key.num_public_inputs = integers[1].limb[0];
    key.pub_inputs_offset = integers[2].limb[0];
    for (std::size_t i = 0; i < key_commitments; ++i) {
        const std::size_t first = 3 + 4 * i;
        unsigned failed_limb = 0;
        const DecodeError decode_error = decode_g1(
            {integers[first], integers[first + 1], integers[first + 2], integers[first + 3]}, key.commitments[i], failed_limb);
        if (decode_error != DecodeError::none) {
            error = FormatError::at(BBIPC_PART_KEY, static_cast<std::int64_t>(first + failed_limb), "vk[%zu]: %s",
                                    first + failed_limb, describe(decode_error));
            return false;
        }
    }
    key.hash = poseidon2_hash(elements);
    return true;
}

bool key_is_canonical(const std::uint8_t* bytes, std::size_t length, FormatError& error) {
    for (std::size_t i = 0; length == key_bytes && i < key_words; ++i) {
        const U256 word = load_be(bytes + 32 * i);
        if (!(word < Fr::modulus) || (i < 3 && word.bit_length() > 64)) {
            error = FormatError::at(BBIPC_PART_KEY, static_cast<std::int64_t>(i), "vk[%zu]: non-canonical word", i);
            return false;
        }
    }
    return true;
}

BBIPC_END
