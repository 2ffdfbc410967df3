// Merge (chapter 06): the op-queue table of the hiding kernel is appended to the table of all earlier circuits.
#pragma once

#include "../opening/pairing_check.hpp"
#include "../proof/proof.hpp"

BBIPC_BEGIN

struct MergeMessages {
    G1 merged_table[4];  // commitments M_0..M_3, the translator's op-queue columns
    Fr degree_check[4];  // a_0..a_3
    G1 reversed;         // G
    Fr kappa;
    Fr left[4], right[4], merged[4];
    Fr reversed_value;  // g
    Fr batching[13];    // b_0..b_12
    G1 quotient;        // Q
    Fr z;
    G1 witness;  // W
};

// Receives the part.
Objection receive_merge(Transcript& transcript, const PartView& part, MergeMessages& messages);

// previous: T_prev[0..3] (chapter 05); own: t_j = ECC_OP_WIRE_{j+1}. Invalid (Merge reduction) when an identity fails; else `check` is
// what remains.
Objection verify_merge(const MergeMessages& messages, std::span<const G1, 4> previous, std::span<const G1, 4> own,
                       PairingCheck& check);

BBIPC_END
