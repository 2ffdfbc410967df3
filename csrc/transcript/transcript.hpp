// The Fiat-Shamir transcript of chapter 02 section 4: Poseidon2 over Fr, challenges of 127 bits.
#pragma once

#include <span>
#include <vector>

#include "../verdict/verdict.hpp"
#include "codec.hpp"

BBIPC_BEGIN

// A list of proof elements: `count` canonical big-endian words of 32 bytes (the caller has checked that each is below r).
struct PartView {
    std::int32_t part = BBIPC_PART_NONE;  // BBIPC_PART_..., for error messages
    const std::uint8_t* words = nullptr;
    std::size_t count = 0;

    const std::uint8_t* word(std::size_t i) const { return words + 32 * i; }
};

// A challenge: an integer below 2^127, used as an element of either field.
struct Challenge {
    U256 value;
    Fr fr() const { return Fr::from_int(value); }
    Fq fq() const { return Fq::from_int(value); }
};

// The messages of all hashes of a transcript, made without hashing, so that those of several proofs can be hashed side by side.
//
// A verifier of a non-interactive proof absorbs what the prover sent, and hashes; what it absorbs next does not depend on its
// challenges. So the messages can be collected before anything is checked. (The one thing that is computed and absorbed, the
// commitment of the inner-product argument, begins a transcript of its own.)
class RecordedTranscript {
  public:
    std::size_t count() const { return ends_.size(); }
    // Message i; its first element is the hash of the message before, if there is one.
    std::span<const Fr> message(std::size_t i) const {
        const std::size_t first = i == 0 ? 0 : ends_[i - 1];
        return std::span(elements_).subspan(first, ends_[i] - first);
    }
    // The hash of the first message that has none yet.
    void add_hash(const Fr& hash) { elements_[ends_[hashed_++]] = hash; }
    std::size_t hashed() const { return hashed_; }
    // Of message i < hashed().
    const Fr& hash(std::size_t i) const { return elements_[ends_[i]]; }

  private:
    friend class Transcript;

    std::vector<Fr> elements_;  // of all messages, one after the other
    std::vector<std::size_t> ends_;
    std::size_t hashed_ = 0;
};

// Reading errors are sticky: the first one is kept, later operations return zeros. So a step reads its whole part and asks
// failed() once before its checks decide, which is the precedence of chapter 00 section 4.
class Transcript {
  public:
    Transcript();
    // Records the messages of its hashes instead of hashing; every challenge is then zero, and means nothing.
    static Transcript recording(RecordedTranscript& record);
    // Takes the hashes from a record, as far as they are there and their messages are what this transcript has absorbed.
    static Transcript replaying(const RecordedTranscript& record);

    // Append the elements of a part to the unread input. The words must outlive the transcript.
    void load(const PartView& part);

    Fr receive_fr();
    Fq receive_fq();
    G1 receive_g1();
    Grumpkin receive_grumpkin();

    void absorb(const Fr& value);
    void absorb(const Fq& value);
    void absorb(const Grumpkin& point);

    // One hash; its low 127 bits.
    Challenge challenge();
    // ceil(n / 2) hashes, two challenges from each (low half first).
    void challenges(std::span<Challenge> out);

    // What the next hash will be over: the previous hash, if there was one, and all that was absorbed since.
    std::span<const Fr> pending() const { return buffer_; }

    bool failed() const { return error_.has_value(); }
    // The first reading error; only if failed().
    const FormatError& error() const { return *error_; }

  private:
    struct Hash {
        Challenge low, high;
    };

    // Takes the next `count` elements, absorbs them, and returns their integers; false (and an error) if there are not enough.
    bool take(std::size_t count, U256* integers);
    void fail(std::size_t elements_back, const char* what);
    Hash next();
    Fr hash_pending() const;

    std::vector<PartView> input_;
    std::size_t segment_ = 0;   // the part being read ...
    std::size_t position_ = 0;  // ... and the next element in it
    std::vector<Fr> buffer_;    // [previous hash, if any] followed by what was absorbed since
    std::optional<FormatError> error_;
    RecordedTranscript* record_ = nullptr;        // when recording
    const RecordedTranscript* replay_ = nullptr;  // when replaying
    std::size_t hashes_ = 0;                      // made so far
};

// "proof.hiding_oink_proof" ...: a part as the wire's fields name it.
const char* part_name(std::int32_t part);

BBIPC_END
