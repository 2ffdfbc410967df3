// What the last 28 public inputs of the hiding kernel say (chapter 05).
#pragma once

#include "../proof/proof.hpp"

BBIPC_BEGIN

struct HidingKernelIo {
    G1 pairing_p0, pairing_p1;  // accumulated pairing points of all recursive verifications in the stack
    G1 kernel_return_data;      // commitment to what the previous kernel returned
    G1 previous_table[4];       // commitments to the op-queue columns of all circuits before the hiding kernel
};

// `public_inputs`: the first n elements of the hiding Oink part, already absorbed there.
Objection decode_hiding_kernel_io(const PartView& public_inputs, HidingKernelIo& io);

BBIPC_END
