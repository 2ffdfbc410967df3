// ECCVM verification (chapter 07): turns the ECCVM part into one opening claim on Grumpkin and the translation data.
#pragma once

#include "eccvm_messages.hpp"

BBIPC_BEGIN

// "The polynomial committed to in `commitment` takes `value` at `point`" (chapter 09).
struct OpeningClaim {
    Grumpkin commitment;
    Fq point;
    Fq value;
};

struct EccvmResult {
    Combination<GrumpkinCurve> commitment;  // the claim: it takes the value 0 at `point`
    Fq point;
    Fq x, v;               // translation challenges
    Fq accumulated_result;
};

// Receives the part.
Objection receive_eccvm(Transcript& transcript, const PartView& part, EccvmMessages& messages);

// Invalid (ECCVM step) when a check fails or a denominator vanishes.
Objection verify_eccvm(const EccvmMessages& messages, EccvmResult& result);

BBIPC_END
