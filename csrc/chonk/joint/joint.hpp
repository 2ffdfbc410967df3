// The joint proof (chapters 10, 13 and 14): translator and MegaZK in one sumcheck and one KZG opening.
#pragma once

#include "../opening/pairing_check.hpp"
#include "../proof/proof.hpp"
#include "inputs.hpp"
#include "messages.hpp"

BBIPC_BEGIN

// Receives the part.
Objection receive_joint(Transcript& transcript, const PartView& part, JointMessages& messages);

// Invalid (batched translator+joint reduction) when check A or B fails or a denominator vanishes; else `check` is check C.
Objection verify_joint(const JointMessages& messages, const JointInputs& inputs, PairingCheck& check);

BBIPC_END
