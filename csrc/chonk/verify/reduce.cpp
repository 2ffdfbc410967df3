#include "reduce.hpp"

#include <cinttypes>
#include <exception>

#include "../../hash/hash_chains.hpp"
#include "../eccvm/eccvm.hpp"
#include "../ipa/ipa.hpp"
#include "../joint/joint.hpp"
#include "../merge/merge.hpp"
#include "../oink/hiding_kernel_io.hpp"
#include "../oink/oink.hpp"

BBIPC_BEGIN

namespace {

// Step 0: the total length (chapter 03 section 3), and in strict mode the length of each part (chapter 00 section 6).
Unreadable check_lengths(const Proof& proof, const Key& key, bool strict) {
    const u64 expected = key.num_public_inputs + fixed_length;  // modulo 2^64, as bb computes it
    if (proof.total() != expected) {
        return FormatError::at(BBIPC_PART_FLAT, -1, "proof has wrong size: expected %" PRIu64 ", got %zu", expected,
                               proof.total());
    }
    if (!strict) return std::nullopt;
    const PartView* const parts[5] = {&proof.hiding_oink, &proof.merge, &proof.eccvm, &proof.ipa, &proof.joint};
    const u64 lengths[5] = {key.num_public_inputs + oink_fixed_length, merge_length, eccvm_length, ipa_length, joint_length};
    for (std::size_t i = 0; i < 5; ++i) {
        if (parts[i]->count != lengths[i]) {
            return FormatError::at(parts[i]->part, -1, "%s has wrong size: expected %" PRIu64 ", got %zu",
                                   part_name(parts[i]->part), lengths[i], parts[i]->count);
        }
    }
    return std::nullopt;
}

// The messages of all parts that share the main transcript, in the order of the steps.
struct Messages {
    OinkResult oink;
    MergeMessages merge;
    EccvmMessages eccvm;
    JointMessages joint;
};

// One proof on its way to a claim. Each operation does nothing once there is an objection.
class Reduction {
  public:
    Reduction(const Setup& setup, const Submission& submission, bool strict, LanePath path, Claim& claim)
        : setup_(setup),
          key_(*submission.key),
          parts_(*submission.proof),
          cancel_(submission.cancel),
          strict_(strict),
          path_(path),
          claim_(claim) {
        claim_.pairing_count = 0;
    }

    // Step 0.
    void begin() {
        attempt([&]() -> Objection {
            FormatError error;
            if (!view_proof(parts_, proof_, error)) return Rejection::unreadable(error);
            if (const Unreadable lengths = check_lengths(proof_, key_, strict_)) return Rejection::unreadable(*lengths);
            return std::nullopt;
        });
    }

    // The messages of the main transcript, as far as they can be read. What cannot be read is for the steps to say.
    void record_main() {
        attempt([&]() -> Objection {
            Transcript transcript = Transcript::recording(record_);
            Messages m;
            if (!receive_oink(transcript, key_, proof_.hiding_oink, m.oink) &&
                !receive_merge(transcript, proof_.merge, m.merge) && !receive_eccvm(transcript, proof_.eccvm, m.eccvm)) {
                (void)receive_joint(transcript, proof_.joint, m.joint);
            }
            return std::nullopt;
        });
    }

    // Steps 1 to 8.
    void run_steps() {
        attempt([&] { return steps(); });
    }

    // The messages of the inner-product argument's transcript.
    void record_ipa() {
        attempt([&]() -> Objection {
            record_ = RecordedTranscript();
            bbipc::record_ipa(proof_.ipa, opening_, record_);
            return std::nullopt;
        });
    }

    // Step 9; nothing after it.
    void finish() {
        attempt([&]() -> Objection {
            if (cancel_.raised()) return Rejection::cancelled();
            return read_ipa(Transcript::replaying(record_), proof_.ipa, opening_, claim_.ipa);
        });
        claim_.rest = objection_;
    }

    // A chain of hashes (HashChains::next).
    bool next_message(const Fr* previous, std::span<const Fr>& message) {
        if (previous != nullptr) record_.add_hash(*previous);
        if (objection_ || cancel_.raised() || record_.hashed() == record_.count()) return false;
        message = record_.message(record_.hashed());
        return true;
    }

  private:
    const Setup& setup_;
    const Key& key_;
    const bbipc_proof& parts_;
    const CancelFlag cancel_;
    const bool strict_;
    const LanePath path_;
    Claim& claim_;
    Proof proof_;
    RecordedTranscript record_;
    OpeningClaim opening_;
    Objection objection_;

    // Failures of one proof (for want of memory) are its own.
    template <class Action>
    void attempt(const Action& action) {
        if (objection_) return;
        try {
            objection_ = action();
        } catch (const std::exception& problem) {
            claim_.pairing_count = 0;
            objection_ = Rejection::failure(problem.what());
        }
    }

    // The steps of chapter 00 section 5 in order: the first objection ends them, and the pairing checks before it are kept.
    Objection steps() {
        const auto postponed = [this]() -> PairingCheck& { return claim_.pairings[claim_.pairing_count]; };
        const auto postpone = [this] { ++claim_.pairing_count; };
        for (PairingCheck& check : claim_.pairings) check = PairingCheck{};
        if (cancel_.raised()) return Rejection::cancelled();  // since the proof was submitted; its record may be cut off
        Transcript transcript = Transcript::replaying(record_);
        Messages m;
        if (auto no = receive_oink(transcript, key_, proof_.hiding_oink, m.oink)) return no;  // 1
        if (auto no = verify_oink(key_, m.oink)) return no;

        HidingKernelIo io;  // 2
        PartView public_inputs = proof_.hiding_oink;
        public_inputs.count -= oink_fixed_length;
        if (auto no = decode_hiding_kernel_io(public_inputs, io)) return no;
        postponed().step = BBIPC_STEP_PI_PAIRING;  // 3
        postponed().p0.add(io.pairing_p0, Fr::one());
        postponed().p1 = io.pairing_p1;
        postpone();
        if (m.oink.witness[OinkResult::kernel_calldata] != io.kernel_return_data) {  // 4
            return Rejection::invalid(BBIPC_STEP_DATABUS);
        }
        if (cancel_.raised()) return Rejection::cancelled();

        const auto own_table = std::span<const G1, 12>(m.oink.witness).subspan<OinkResult::ecc_op_wire_1, 4>();  // 5
        if (auto no = receive_merge(transcript, proof_.merge, m.merge)) return no;
        if (auto no = verify_merge(m.merge, io.previous_table, own_table, postponed())) return no;
        postpone();
        if (cancel_.raised()) return Rejection::cancelled();

        EccvmResult eccvm;  // 6
        if (auto no = receive_eccvm(transcript, proof_.eccvm, m.eccvm)) return no;
        if (auto no = verify_eccvm(m.eccvm, eccvm)) return no;
        if (cancel_.raised()) return Rejection::cancelled();

        const JointInputs inputs{setup_.translator_key,   key_, m.oink, m.merge.merged_table, eccvm.x, eccvm.v,
                                 eccvm.accumulated_result};  // 7
        if (auto no = receive_joint(transcript, proof_.joint, m.joint)) return no;
        if (auto no = verify_joint(m.joint, inputs, postponed())) return no;
        postpone();  // 8
        if (cancel_.raised()) return Rejection::cancelled();

        // The commitment enters the argument's transcript, so its sum is needed here.
        opening_ = OpeningClaim{eccvm.commitment.sum(path_), eccvm.point, Fq::zero()};
        return std::nullopt;
    }
};

class Transcripts final : public HashChains {
  public:
    explicit Transcripts(std::vector<Reduction>& reductions) : reductions_(reductions) {}

    bool next(std::size_t chain, const Fr* previous, std::span<const Fr>& message) override {
        return reductions_[chain].next_message(previous, message);
    }

  private:
    std::vector<Reduction>& reductions_;
};

}  // namespace

void reduce_many(const Setup& setup, std::span<const Submission> submissions, bool strict, LanePath path,
                 std::span<Claim* const> claims) {
    std::vector<Reduction> reductions;
    reductions.reserve(submissions.size());
    for (std::size_t i = 0; i < submissions.size(); ++i) {
        reductions.emplace_back(setup, submissions[i], strict, path, *claims[i]);
        reductions[i].begin();
    }
    // Hashing ahead pays only where the hashes of several proofs cost less than one after the other.
    const bool side_by_side = path == LanePath::ifma && submissions.size() > 1;
    Transcripts transcripts(reductions);
    if (side_by_side) {
        for (Reduction& reduction : reductions) reduction.record_main();
        run_hash_chains(transcripts, reductions.size(), path);
    }
    for (Reduction& reduction : reductions) reduction.run_steps();
    if (side_by_side) {
        for (Reduction& reduction : reductions) reduction.record_ipa();
        run_hash_chains(transcripts, reductions.size(), path);
    }
    for (Reduction& reduction : reductions) reduction.finish();
}

void reduce(const Setup& setup, const Key& key, const bbipc_proof& proof, bool strict, const CancelFlag& cancel, LanePath path,
            Claim& claim) {
    const Submission submission{&key, &proof, cancel};
    Claim* const claims[1] = {&claim};
    reduce_many(setup, std::span(&submission, 1), strict, path, claims);
}

BBIPC_END
