#include "transcript.hpp"

#include <algorithm>

#include "../hash/poseidon2.hpp"

BBIPC_BEGIN

const char* part_name(std::int32_t part) {
    switch (part) {
        case BBIPC_PART_HIDING_OINK: return "proof.hiding_oink_proof";
        case BBIPC_PART_MERGE: return "proof.merge_proof";
        case BBIPC_PART_ECCVM: return "proof.eccvm_proof";
        case BBIPC_PART_IPA: return "proof.ipa_proof";
        case BBIPC_PART_JOINT: return "proof.joint_proof";
        case BBIPC_PART_KEY: return "vk";
        case BBIPC_PART_FLAT: return "proof";
        default: return "?";
    }
}

Transcript::Transcript() {
    input_.reserve(4);
    buffer_.reserve(1024);
}

Transcript Transcript::recording(RecordedTranscript& record) {
    Transcript transcript;
    transcript.record_ = &record;
    record.elements_.reserve(2048);  // of a proof of usual length
    return transcript;
}

Transcript Transcript::replaying(const RecordedTranscript& record) {
    Transcript transcript;
    transcript.replay_ = &record;
    return transcript;
}

void Transcript::load(const PartView& part) { input_.push_back(part); }

bool Transcript::take(std::size_t count, U256* integers) {
    if (failed()) return false;
    for (std::size_t i = 0; i < count; ++i) {
        while (segment_ < input_.size() && position_ == input_[segment_].count) {
            ++segment_;
            position_ = 0;
        }
        if (segment_ == input_.size()) {
            const PartView last = input_.empty() ? PartView{} : input_.back();
            error_ = FormatError::at(last.part, static_cast<std::int64_t>(last.count),
                                     "proof too short: %s ends where another element was expected", part_name(last.part));
            return false;
        }
        integers[i] = load_be(input_[segment_].word(position_));
        buffer_.push_back(Fr::from_int(integers[i]));
        ++position_;
    }
    return true;
}

void Transcript::fail(std::size_t elements_back, const char* what) {
    // Walk back over part borders: an item may straddle two parts.
    std::size_t segment = segment_, position = position_;
    for (std::size_t i = 0; i < elements_back; ++i) {
        while (position == 0) position = input_[--segment].count;
        --position;
    }
    error_ = FormatError::at(input_[segment].part, static_cast<std::int64_t>(position), "%s[%zu]: %s",
                             part_name(input_[segment].part), position, what);
}

Fr Transcript::receive_fr() {
    U256 value;
    return take(1, &value) ? buffer_.back() : Fr::zero();
}

Fq Transcript::receive_fq() {
    U256 limbs[2];
    if (!take(2, limbs)) return Fq::zero();
    Fq value;
    const DecodeError error = decode_fq(limbs[0], limbs[1], value);
    if (error != DecodeError::none) fail(error == DecodeError::high_limb_too_wide ? 1 : 2, describe(error));
    return value;
}

G1 Transcript::receive_g1() {
    U256 limbs[4];
    if (!take(4, limbs)) return G1::infinity();
    G1 point;
    unsigned failed_limb = 0;
    const DecodeError error = decode_g1(limbs, point, failed_limb);
    if (error != DecodeError::none) fail(4 - failed_limb, describe(error));
    return point;
}

Grumpkin Transcript::receive_grumpkin() {
    U256 coordinates[2];
    if (!take(2, coordinates)) return Grumpkin::infinity();
    const Grumpkin point{buffer_[buffer_.size() - 2], buffer_[buffer_.size() - 1]};
    if (!point.is_on_curve()) fail(2, describe(DecodeError::not_on_curve));
    return point;
}

void Transcript::absorb(const Fr& value) { buffer_.push_back(value); }

void Transcript::absorb(const Fq& value) {
    const FqLimbs limbs = split_fq(value.to_int());
    buffer_.push_back(Fr::from_int(limbs.lo));
    buffer_.push_back(Fr::from_int(limbs.hi));
}

void Transcript::absorb(const Grumpkin& point) {
    buffer_.push_back(point.x);
    buffer_.push_back(point.y);
}

Transcript::Hash Transcript::next() {
    if (failed()) return {};
    if (record_ != nullptr) {
        record_->elements_.insert(record_->elements_.end(), buffer_.begin(), buffer_.end());
        record_->ends_.push_back(record_->elements_.size());
        record_->elements_.push_back(Fr::zero());  // the place of the hash
        buffer_.clear();
        return {};
    }
    const Fr hash = hash_pending();
    ++hashes_;
    buffer_.clear();
    buffer_.push_back(hash);
    const U256 h = hash.to_int();
    constexpr u64 top_bit = u64{1} << 63;
    return {{U256{{h.limb[0], h.limb[1] & ~top_bit, 0, 0}}}, {h.shifted_right(127)}};
}

// A recorded hash counts only for the very message that it is of.
Fr Transcript::hash_pending() const {
    if (replay_ != nullptr && hashes_ < replay_->hashed() && std::ranges::equal(replay_->message(hashes_), buffer_)) {
        return replay_->hash(hashes_);
    }
    return poseidon2_hash(buffer_);
}

Challenge Transcript::challenge() { return next().low; }

void Transcript::challenges(std::span<Challenge> out) {
    for (std::size_t i = 0; i < out.size(); i += 2) {
        const Hash hash = next();
        out[i] = hash.low;
        if (i + 1 < out.size()) out[i + 1] = hash.high;
    }
}

BBIPC_END
