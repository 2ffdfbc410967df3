// The last step of the ECCVM's sumcheck (chapter 07.4).
#pragma once

#include "messages.hpp"

BBIPC_BEGIN

// V, the value that the last round polynomial must take. False if delta of chapter 08.2 does not exist.
bool eccvm_sumcheck_value(const EccvmMessages& messages, Fq& value);

BBIPC_END
