// ECCVM verification (chapter 07): turns the ECCVM part into one opening claim on Grumpkin and the translation data.
#pragma once

#include "messages.hpp"
#include "opening.hpp"

BBIPC_BEGIN

// Receives the part.
Objection receive_eccvm(Transcript& transcript, const PartView& part, EccvmMessages& messages);

// Invalid (ECCVM step) when a check fails or a denominator vanishes.
Objection verify_eccvm(const EccvmMessages& messages, EccvmResult& result);

BBIPC_END
