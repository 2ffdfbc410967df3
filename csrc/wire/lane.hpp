// A connection whose client asks for one cheap thing after the other is answered by a thread of its own, without a visit to Python
// for each request: reads, answers and writes until anything else comes.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "../include/bbipc_core.h"

namespace bbipc::wire {

// See bbipc_lane_...
class Lane {
  public:
    Lane();
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    // Whether the system had a descriptor for it.
    bool works() const { return wake_ >= 0; }

    void serve(const bbipc_core& core, const bbipc_answer_rules& rules, int receive, int send, std::chrono::nanoseconds idle,
               std::chrono::nanoseconds longest, bbipc_lane_left& left);
    // Ends serve() in another thread, and every later one while `on`.
    void interrupt(bool on);
    // What was answered since the last call.
    void take_counts(std::uint64_t (&counts)[BBIPC_CHEAP_COMMANDS]);

  private:
    void count(const bbipc_answered& answered);

    const int wake_;                        // an eventfd, for a serve() that sleeps
    std::atomic<bool> interrupted_{false};  // the same, for one that need not sleep
    std::array<std::atomic<std::uint64_t>, BBIPC_CHEAP_COMMANDS> counts_{};
};

}  // namespace bbipc::wire
