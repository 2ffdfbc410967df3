#include "serve.hpp"

#include <algorithm>

#include "../wire/answer.hpp"

namespace bbipc::shm {
namespace {

using namespace std::chrono_literals;

// How long the counts of what was answered stay in here.
constexpr auto report_after = 100ms;
constexpr int answers_between_clocks = 64;

// Answers one request whose frame has `size` bytes; false: not here.
bool answer(Ring& responses, const bbipc_core& core, const bbipc_answer_rules& rules, const std::uint8_t* frame,
            std::uint64_t size, bbipc_answered& total) {
    const std::uint64_t length = size - header_bytes;
    if (length > rules.max_payload) return false;
    std::uint8_t response[BBIPC_MAX_CHEAP_RESPONSE];
    bbipc_answered one = {};
    wire::answer_message(core, rules, frame + header_bytes, length, response, sizeof response, one);
    // Without room for the response the request goes the ordinary way, which can wait.
    if (one.produced == 0 || responses.put(response, one.produced) != Status::ok) return false;
    total.consumed += size;
    total.produced += header_bytes + one.produced;
    total.work += one.work;
    for (int i = 0; i < BBIPC_CHEAP_COMMANDS; ++i) total.answered[i] += one.answered[i];
    return true;
}

}  // namespace

Status serve(Ring& requests, Ring& responses, const bbipc_core& core, const bbipc_answer_rules& rules, Clock::time_point end,
             std::uint8_t* out, std::uint64_t room, std::uint64_t& size, bbipc_answered& answered) {
    answered = bbipc_answered{};
    size = 0;
    for (int since_clock = 0; !requests.is_interrupted();) {
        std::uint64_t taken = 0;
        const Status status = requests.take(out, room, taken);
        if (status == Status::nothing) {
            const Status ready = requests.wait_for_data(end);
            if (ready != Status::ok) return ready;
            continue;
        }
        size = taken;
        if (status != Status::ok) return status;
        if (!answer(responses, core, rules, out, taken, answered)) return Status::ok;
        size = 0;
        if (answered.consumed == taken) end = std::min(end, Clock::now() + report_after);
        if (++since_clock >= answers_between_clocks) {
            since_clock = 0;
            if (Clock::now() >= end) return Status::nothing;
        }
    }
    return Status::interrupted;
}

}  // namespace bbipc::shm
