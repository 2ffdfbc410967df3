// Takes requests from a ring and answers those that cost little, without a visit to Python for each.
#pragma once

#include "ring.hpp"

namespace bbipc::shm {

// See bbipc_ring_serve.
Status serve(Ring& requests, Ring& responses, const bbipc_core& core, const bbipc_answer_rules& rules, Clock::time_point end,
             std::uint8_t* out, std::uint64_t room, std::uint64_t& size, bbipc_answered& answered);

}  // namespace bbipc::shm
