// The last step of the joint sumcheck (chapter 13.4).
#pragma once

#include "inputs.hpp"
#include "messages.hpp"

BBIPC_BEGIN

// F, the value that the last round polynomial must take. evaluations: of the translator's columns at u
// (chapter 13.2, 13.3, 13.5).
Fr joint_sumcheck_value(const JointMessages& messages, const JointInputs& inputs, const translator::Evaluations& evaluations);

BBIPC_END
