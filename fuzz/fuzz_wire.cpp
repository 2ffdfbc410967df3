// libFuzzer: what clients send without an intermediary. The native answers to cheap requests, a ring whose memory holds anything,
// and compressed reference strings.
//
// Input: one byte that chooses, then frames, or the memory of a ring, or words. Many frames in one call are answered as each of
// them alone is.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "bbipc_core.h"

namespace {

using Bytes = std::vector<uint8_t>;
constexpr size_t header_bytes = 4, control_bytes = 256, capacity = 1024;

void demand(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

const bbipc_core* core() {
    static bbipc_core* const one = bbipc_core_new(nullptr, nullptr, BBIPC_ARITH_PORTABLE, nullptr);
    return one;
}

uint32_t read_length(const uint8_t* data) {
    uint32_t length = 0;
    std::memcpy(&length, data, sizeof length);
    return length;
}

bbipc_answer_rules rules_of(uint8_t choice) {
    bbipc_answer_rules rules{};
    rules.commands = (1u << BBIPC_CHEAP_COMMANDS) - 1;
    rules.envelope = (choice & 1) != 0;
    rules.plain = (choice & 2) != 0;
    rules.max_payload = (choice & 4) != 0 ? 4096 : 64;
    rules.max_work = ~0ull;
    return rules;
}

void answer(uint8_t choice, const uint8_t* data, size_t size) {
    const bbipc_answer_rules rules = rules_of(choice);
    Bytes out(size + 2 * BBIPC_MAX_CHEAP_RESPONSE);  // exactly, so that a byte too many is seen
    bbipc_answered answered{};
    bbipc_answer_frames(core(), &rules, data, size, out.data(), out.size(), &answered);
    demand(answered.consumed <= size && answered.produced <= out.size(), "no more is consumed and produced than there is");
    uint64_t in = 0, result = 0, count = 0;
    while (in < answered.consumed) {
        const uint32_t length = read_length(data + in);
        demand(length <= answered.consumed - in - header_bytes, "whole frames are consumed");
        uint8_t alone[BBIPC_MAX_CHEAP_RESPONSE];
        bbipc_answered one{};
        bbipc_answer_message(core(), &rules, data + in + header_bytes, length, alone, sizeof alone, &one);
        demand(one.produced != 0 && result + header_bytes + one.produced <= answered.produced &&
                   read_length(out.data() + result) == one.produced &&
                   std::memcmp(out.data() + result + header_bytes, alone, one.produced) == 0,
               "a frame is answered among others as alone");
        in += header_bytes + length;
        result += header_bytes + one.produced;
        ++count;
    }
    uint64_t counted = 0;
    for (const uint32_t number : answered.answered) counted += number;
    demand(in == answered.consumed && result == answered.produced && count == counted, "one response for each request");
}

// The first bytes are the control words, the rest is the ring; then it is used from both sides.
void ring(uint8_t choice, const uint8_t* data, size_t size) {
    const int file = ::memfd_create("ring", MFD_CLOEXEC);
    demand(file >= 0 && ::ftruncate(file, control_bytes + capacity) == 0, "a file");
    std::unique_ptr<bbipc_ring, decltype(&bbipc_ring_free)> mine(bbipc_ring_new(file, capacity, nullptr), bbipc_ring_free);
    demand(mine != nullptr, "a ring");
    bbipc_ring_publish(mine.get());
    Bytes out(capacity);
    uint64_t count = 0;
    while (size > 0) {
        const size_t head = std::min<size_t>(size, 33);  // two words, and the beginning of a message
        const uint64_t step = data[0];
        if (head == 33) {
            demand(::pwrite(file, data + 1, 8, 0) == 8 && ::pwrite(file, data + 9, 8, (step & 1) != 0 ? 64 : 8) == 8 &&
                       ::pwrite(file, data + 17, 16, static_cast<off_t>(control_bytes + 4 * step % capacity)) == 16,
                   "writing");
        }
        data += head;
        size -= head;
        if (bbipc_ring_take(mine.get(), out.data(), out.size(), &count) == BBIPC_OK) {
            uint64_t at = 0;
            while (at < count) at += header_bytes + read_length(out.data() + at);
            demand(at == count && count <= out.size(), "whole messages are taken");
            bbipc_ring_put(mine.get(), out.data(), count, &count);
        }
        const bbipc_answer_rules rules = rules_of(choice);
        bbipc_answered answered{};
        bbipc_ring_serve(mine.get(), mine.get(), core(), &rules, 0, out.data(), out.size(), &count, &answered);
    }
    ::close(file);
}

void decompress(const uint8_t* data, size_t size) {
    const uint64_t count = std::min<size_t>(size / 32, 64);
    Bytes out(64 * count);
    uint64_t failed = 0;
    const int32_t status = bbipc_g1_decompress(core(), data, count, 1, out.data(), &failed);
    demand(status != BBIPC_OK || bbipc_points_check(core(), BBIPC_G1, out.data(), count, 1, &failed) == BBIPC_OK,
           "points are on the curve");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const uint8_t choice = data[0];
    switch (choice >> 6) {
        case 0:
        case 1: answer(choice, data + 1, size - 1); break;
        case 2: ring(choice, data + 1, size - 1); break;
        default: decompress(data + 1, size - 1);
    }
    return 0;
}
