// A real proof of a file of cases, run part by part.
#pragma once

#include <vector>

#include "../chonk/eccvm/eccvm.hpp"
#include "../chonk/joint/joint.hpp"
#include "../chonk/merge/merge.hpp"
#include "../chonk/oink/hiding_kernel_io.hpp"
#include "../chonk/oink/oink.hpp"
#include "case_file.hpp"
#include "check.hpp"

// The five parts of a flat proof, of bb's lengths; they point into `fields`.
inline bbipc_proof split_proof(const std::vector<std::uint8_t>& fields, const bbipc::Key& key) {
    bbipc_proof parts{};
    bbipc::FormatError error;
    CHECK(bbipc::split_lengths(fields.size() / 32, key.num_public_inputs, parts.count, error));
    const std::uint8_t* next = fields.data();
    for (std::size_t i = 0; i < 5; ++i) {
        parts.part[i] = next;
        next += 32 * parts.count[i];
    }
    return parts;
}

// What a valid proof says, up to the part under test: the merge part, and what is run after it. That it is valid is checked.
struct ProofRun {
    std::vector<std::uint8_t> fields, key_data;
    bbipc::Key key;
    bbipc_proof parts{};
    bbipc::Proof proof;
    bbipc::Transcript transcript;
    bbipc::OinkResult oink;
    bbipc::HidingKernelIo io;
    bbipc::MergeMessages merge;
    bbipc::PairingCheck merge_check;
    bbipc::EccvmMessages eccvm;
    bbipc::EccvmResult eccvm_result;
    bbipc::JointMessages joint;

    explicit ProofRun(const TestCase& test) : fields(test.bytes("fields")), key_data(test.bytes("vk")) {
        const Rule rule("03 to 06, a valid proof is read, and its identities hold");
        bbipc::FormatError error;
        CHECK(decode_key(key_data.data(), key_data.size(), key, error));
        parts = split_proof(fields, key);
        CHECK(view_proof(parts, proof, error));
        CHECK(!receive_oink(transcript, key, proof.hiding_oink, oink) && !verify_oink(key, oink));
        bbipc::PartView public_inputs = proof.hiding_oink;
        public_inputs.count -= bbipc::oink_fixed_length;
        CHECK(!decode_hiding_kernel_io(public_inputs, io));
        CHECK(!receive_merge(transcript, proof.merge, merge) &&
              !verify_merge(merge, io.previous_table, own_table(), merge_check));
    }

    void run_eccvm() {
        const Rule rule("07 and 08, the ECCVM part of a valid proof is read, and its identities hold");
        CHECK(!receive_eccvm(transcript, proof.eccvm, eccvm) && !verify_eccvm(eccvm, eccvm_result));
    }

    // After run_eccvm(): the messages alone.
    void receive_joint_part() {
        const Rule rule("13 and 14, the joint part of a valid proof is read");
        CHECK(!receive_joint(transcript, proof.joint, joint));
    }

    std::span<const bbipc::G1, 4> own_table() const {
        return std::span<const bbipc::G1, 12>(oink.witness).subspan<bbipc::OinkResult::ecc_op_wire_1, 4>();
    }

    bbipc::OpeningClaim opening() const {
        return {eccvm_result.commitment.sum(bbipc::LanePath::scalar), eccvm_result.point, bbipc::Fq::zero()};
    }
};
