// Oink of the hiding kernel (chapter 04): public inputs, witness commitments and the permutation argument's challenges.
#pragma once

#include <vector>

#include "../keys/key.hpp"
#include "../proof/proof.hpp"

BBIPC_BEGIN

struct OinkResult {
    // Columns 28..39 of MegaZK, in the order of chapter 11.1.
    // clang-format off
    enum Witness { w_l, w_r, w_o, w_4, z_perm, ecc_op_wire_1, ecc_op_wire_2, ecc_op_wire_3, ecc_op_wire_4, kernel_calldata,
                   kernel_calldata_read_counts, kernel_calldata_inverses, witness_count };
    // clang-format on
    G1 witness[witness_count];
    std::vector<Fr> public_inputs;
    Fr beta, gamma;
    Fr public_input_delta;
};

// Receives the part; fills all of `result` but delta.
Objection receive_oink(Transcript& transcript, const Key& key, const PartView& part, OinkResult& result);

// Fills delta. Invalid (Oink) when a denominator of it vanishes.
Objection verify_oink(const Key& key, OinkResult& result);

BBIPC_END
