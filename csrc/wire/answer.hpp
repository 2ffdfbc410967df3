// Answers the requests at the beginning of a run of frames, as far as they are for commands that cost little. What the server in
// Python would answer to them is answered here, byte for byte; everything else, errors too, is left to it.
#pragma once

#include <cstdint>

#include "../include/bbipc_core.h"

namespace bbipc::wire {

// See bbipc_answer_frames and bbipc_answer_message.
void answer_frames(const bbipc_core& core, const bbipc_answer_rules& rules, const std::uint8_t* in, std::uint64_t in_length,
                   std::uint8_t* out, std::uint64_t out_length, bbipc_answered& answered);
void answer_message(const bbipc_core& core, const bbipc_answer_rules& rules, const std::uint8_t* payload, std::uint64_t length,
                    std::uint8_t* out, std::uint64_t out_length, bbipc_answered& answered);

}  // namespace bbipc::wire
