// The joint proof (chapters 10, 13 and 14): translator and MegaZK in one sumcheck and one KZG opening.
#pragma once

#include "joint_messages.hpp"
#include "key.hpp"
#include "oink.hpp"
#include "pairing_check.hpp"
#include "proof.hpp"

BBIPC_BEGIN

struct JointInputs {
    const G1& translator_key;             // of the setup (chapter 10.3)
    const Key& key;
    const OinkResult& oink;
    std::span<const G1, 4> merged_table;  // M_0..M_3
    const Fq& x;                          // from the ECCVM part
    const Fq& v;
    const Fq& accumulated_result;
};

// Receives the part.
Objection receive_joint(Transcript& transcript, const PartView& part, JointMessages& messages);

// Invalid (batched translator+joint reduction) when check A or B fails or a denominator vanishes; else `check` is check C.
Objection verify_joint(const JointMessages& messages, const JointInputs& inputs, PairingCheck& check);

BBIPC_END
