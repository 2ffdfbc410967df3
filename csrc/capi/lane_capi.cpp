// The C ABI of lanes; everything else is in csrc/wire/lane.cpp.
#include <chrono>
#include <new>

#include "../wire/lane.hpp"

struct bbipc_lane {
    bbipc::wire::Lane lane;
};

extern "C" {

bbipc_lane* bbipc_lane_new() {
    bbipc_lane* const lane = new (std::nothrow) bbipc_lane;
    if (lane == nullptr || lane->lane.works()) return lane;
    delete lane;
    return nullptr;
}

void bbipc_lane_free(bbipc_lane* lane) { delete lane; }

void bbipc_lane_serve(bbipc_lane* lane, const bbipc_core* core, const bbipc_answer_rules* rules, std::int32_t receive,
                      std::int32_t send, std::uint32_t idle, std::uint32_t longest, bbipc_lane_left* left) {
    if (left == nullptr) return;
    if (lane == nullptr || core == nullptr || rules == nullptr) {
        *left = {};
        return;
    }
    lane->lane.serve(*core, *rules, receive, send, std::chrono::milliseconds(idle), std::chrono::milliseconds(longest), *left);
}

void bbipc_lane_interrupt(bbipc_lane* lane, std::int32_t on) {
    if (lane != nullptr) lane->lane.interrupt(on != 0);
}

void bbipc_lane_take_counts(bbipc_lane* lane, std::uint64_t counts[BBIPC_CHEAP_COMMANDS]) {
    if (lane == nullptr || counts == nullptr) return;
    lane->lane.take_counts(*reinterpret_cast<std::uint64_t (*)[BBIPC_CHEAP_COMMANDS]>(counts));
}

}  // extern "C"
