#include "compress.hpp"

#include "../../field/sqrt.hpp"

#include <cinttypes>

BBIPC_BEGIN

namespace {

enum class Item { fr, fq, g1, grumpkin };  // s, S, c, C of chapter 03 section 2

// The items of a whole proof in order (chapter 03 section 2), run-length coded; a group repeats as a whole.
struct Run {
    Item item;
    std::size_t count;
};
struct Group {
    std::size_t repeat;
    std::initializer_list<Run> runs;
};

// visit(item) for each item of the five parts; stops at and returns the first error.
template <class Visit>
Unreadable for_each_item(std::size_t num_public_inputs, const Visit& visit) {
    using enum Item;
    const Group groups[] = {
        {1, {{fr, num_public_inputs}, {g1, 12}}},  // hidingOinkProof
        {1, {{g1, 5}, {fr, 13}, {g1, 2}}},         // mergeProof
        {1, {{grumpkin, 90}, {fq, 1}}},            // eccvmProof
        {15, {{grumpkin, 1}, {fq, 2}}},
        {1, {{fq, 120}, {grumpkin, 16}, {fq, 19}, {grumpkin, 2}, {fq, 6}, {grumpkin, 2}, {fq, 4}, {grumpkin, 1}}},
        {1, {{grumpkin, 31}, {fq, 1}}},  // ipaProof
        {1, {{g1, 13}, {fr, 1}}},        // jointProof
        {13, {{g1, 1}, {fr, 2}}},
        {1, {{fr, 154}}},
        {4, {{g1, 1}, {fr, 2}}},
        {1, {{fr, 67}, {g1, 18}, {fr, 21}, {g1, 2}}},
    };
    for (const Group& group : groups) {
        for (std::size_t r = 0; r < group.repeat; ++r) {
            for (const Run& run : group.runs) {
                for (std::size_t i = 0; i < run.count; ++i) {
                    if (const Unreadable error = visit(run.item)) return error;
                }
            }
        }
    }
    return std::nullopt;
}

// Sign of a compressed point: whether y > (m - 1) / 2.
template <class F>
bool is_upper_half(const U256& y) {
    U256 half;
    sub_borrow(half, F::modulus, U256{{1, 0, 0, 0}});
    return half.shifted_right(1) < y;
}

constexpr u64 sign_bit = u64{1} << 63;  // bit 255, in the highest limb

template <class F>
U256 compress_point(const F& x, const F& y) {
    U256 word = x.to_int();
    if (is_upper_half<F>(y.to_int())) word.limb[3] |= sign_bit;
    return word;
}

template <class C>
const char* decompress_point(U256 word, Affine<C>& point) {
    using F = typename C::Base;
    if (word.is_zero()) {
        point = Affine<C>::infinity();
        return nullptr;
    }
    const bool upper = (word.limb[3] & sign_bit) != 0;
    word.limb[3] &= ~sign_bit;
    if (!(word < F::modulus)) return "x is not below the modulus";
    point.x = F::from_int(word);
    if (!(point.x.sqr() * point.x + C::b()).sqrt(point.y)) return "no point on the curve has this x";
    if (is_upper_half<F>(point.y.to_int()) != upper) point.y = -point.y;
    return nullptr;
}

void store_limbs(std::uint8_t*& out, const Fq& value) {
    const FqLimbs limbs = split_fq(value.to_int());
    store_be(out, limbs.lo);
    store_be(out + 32, limbs.hi);
    out += 64;
}

// Reads the elements of a proof across the borders of its parts.
class Reader {
  public:
    explicit Reader(const Proof& proof) : parts_{proof.hiding_oink, proof.merge, proof.eccvm, proof.ipa, proof.joint} {}

    U256 next() {
        while (position_ == parts_[part_].count) {
            ++part_;
            position_ = 0;
        }
        return load_be(parts_[part_].word(position_++));
    }
    // An error about the element `back` elements before the next one; items never straddle parts of exact length.
    FormatError error(std::size_t back, const char* what) const {
        const std::size_t position = position_ - back;
        return FormatError::at(parts_[part_].part, static_cast<std::int64_t>(position), "%s[%zu]: %s",
                               part_name(parts_[part_].part), position, what);
    }

  private:
    PartView parts_[5];
    std::size_t part_ = 0, position_ = 0;
};

Unreadable read_fq(Reader& in, Fq& value) {
    const U256 lo = in.next();
    const U256 hi = in.next();
    const DecodeError error = decode_fq(lo, hi, value);
    if (error == DecodeError::none) return std::nullopt;
    return in.error(error == DecodeError::high_limb_too_wide ? 1 : 2, describe(error));
}

Unreadable compress_item(Item item, Reader& in, U256& word) {
    switch (item) {
        case Item::fr: word = in.next(); return std::nullopt;
        case Item::fq: {
            Fq value;
            const Unreadable error = read_fq(in, value);
            word = value.to_int();
            return error;
        }
        case Item::grumpkin: {
            const Fr x = Fr::from_int(in.next());
            const Fr y = Fr::from_int(in.next());
            word = compress_point(x, y);  // (0, 0) gives 0
            return std::nullopt;
        }
        case Item::g1: {
            Fq x, y;
            Unreadable error = read_fq(in, x);
            if (!error) error = read_fq(in, y);
            word = compress_point(x, y);
            return error;
        }
    }
    return std::nullopt;
}

// Appends the elements of one word; returns what is wrong with it, or null.
const char* decompress_item(Item item, const U256& word, std::uint8_t*& out) {
    switch (item) {
        case Item::fr:
            if (!(word < Fr::modulus)) return "value is not below fr::modulus";
            store_be(out, word);
            out += 32;
            return nullptr;
        case Item::fq:
            if (!(word < Fq::modulus)) return "value is not below fq::modulus";
            store_limbs(out, Fq::from_int(word));
            return nullptr;
        case Item::grumpkin: {
            Grumpkin point;
            const char* const problem = decompress_point<GrumpkinCurve>(word, point);
            if (problem != nullptr) return problem;
            point.x.to_bytes(out);
            point.y.to_bytes(out + 32);
            out += 64;
            return nullptr;
        }
        case Item::g1: {
            G1 point;
            const char* const problem = decompress_point<G1Curve>(word, point);
            if (problem != nullptr) return problem;
            store_limbs(out, point.x);
            store_limbs(out, point.y);
            return nullptr;
        }
    }
    return nullptr;
}

}  // namespace

Unreadable compress_proof(const Proof& proof, std::uint8_t* out, std::size_t out_length) {
    const std::size_t oink = proof.hiding_oink.count;
    const u64 exact[5] = {oink < oink_fixed_length ? oink_fixed_length : oink, merge_length, eccvm_length, ipa_length,
                          joint_length};
    const PartView* const parts[5] = {&proof.hiding_oink, &proof.merge, &proof.eccvm, &proof.ipa, &proof.joint};
    for (std::size_t i = 0; i < 5; ++i) {
        if (parts[i]->count != exact[i]) {
            return FormatError::at(parts[i]->part, -1, "%s has wrong size: expected %s%" PRIu64 ", got %zu",
                                   part_name(parts[i]->part), i == 0 ? "at least " : "", exact[i], parts[i]->count);
        }
    }
    const std::size_t num_public_inputs = oink - oink_fixed_length;
    if (out_length != 32 * (num_public_inputs + compressed_fixed_length)) {
        return FormatError::at(BBIPC_PART_FLAT, -1, "output buffer has the wrong size");
    }
    Reader reader(proof);
    return for_each_item(num_public_inputs, [&](Item item) -> Unreadable {
        U256 word;
        const Unreadable error = compress_item(item, reader, word);
        store_be(out, word);
        out += 32;
        return error;
    });
}

Unreadable decompress_proof(const std::uint8_t* in, std::size_t in_length, std::uint8_t* out, std::size_t out_length) {
    if (in_length % 32 != 0) {
        return FormatError::at(BBIPC_PART_FLAT, -1, "compressed proof: %zu bytes, expected a multiple of 32", in_length);
    }
    const std::size_t words = in_length / 32;
    if (words < compressed_fixed_length) {
        return FormatError::at(BBIPC_PART_FLAT, -1, "compressed proof too short: %zu words, expected at least %" PRIu64, words,
                               compressed_fixed_length);
    }
    const std::size_t num_public_inputs = words - compressed_fixed_length;
    if (out_length != 32 * (num_public_inputs + fixed_length)) {
        return FormatError::at(BBIPC_PART_FLAT, -1, "output buffer has the wrong size");
    }
    std::size_t position = 0;
    return for_each_item(num_public_inputs, [&](Item item) -> Unreadable {
        const char* const problem = decompress_item(item, load_be(in + 32 * position), out);
        if (problem != nullptr) {
            return FormatError::at(BBIPC_PART_FLAT, static_cast<std::int64_t>(position), "compressed proof[%zu]: %s", position,
                                   problem);
        }
        ++position;
        return std::nullopt;
    });
}

BBIPC_END
