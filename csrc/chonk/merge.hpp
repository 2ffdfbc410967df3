// Merge (chapter 06): the op-queue table of the hiding kernel is appended to the table of all earlier circuits.
#pragma once

#include "pairing_check.hpp"
#include "proof.hpp"

BBIPC_BEGIN

struct MergeResult {
    G1 merged_table[4];   // commitments M_0..M_3, the translator's op-queue columns
    PairingCheck check;   // decided later
};

// previous: T_prev[0..3] (chapter 05); own: t_j = ECC_OP_WIRE_{j+1}. Invalid (Merge reduction) when an identity fails.
Verdict verify_merge(Transcript& transcript, const PartView& part, std::span<const G1, 4> previous, std::span<const G1, 4> own,
                     MergeResult& result);

BBIPC_END
