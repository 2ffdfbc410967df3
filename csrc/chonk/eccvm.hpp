// ECCVM verification (chapter 07): turns the ECCVM part into one opening claim on Grumpkin and the translation data.
#pragma once

#include "proof.hpp"

BBIPC_BEGIN

// "The polynomial committed to in `commitment` takes `value` at `point`" (chapter 09).
struct OpeningClaim {
    Grumpkin commitment;
    Fq point;
    Fq value;
};

struct EccvmResult {
    OpeningClaim claim;
    Fq x, v;               // translation challenges
    Fq accumulated_result;
};

// Invalid (ECCVM step) when a check fails or a denominator vanishes.
Verdict verify_eccvm(Transcript& transcript, const PartView& part, EccvmResult& result);

BBIPC_END
