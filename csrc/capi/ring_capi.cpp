// The C ABI of shared memory: keeps exceptions inside, everything else is in csrc/shm/.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "../shm/ring.hpp"
#include "../shm/serve.hpp"

struct bbipc_ring {
    bbipc::shm::Ring ring;
};

namespace {

using namespace bbipc::shm;

void set_message(char* message, const char* text) {
    if (message != nullptr) std::snprintf(message, sizeof bbipc_verdict{}.message, "%s", text);
}

bbipc_ring* make_ring(int file, std::uint64_t capacity, bool is_new, char* message) noexcept {
    try {
        auto memory = std::make_unique<SharedMemory>(file, control_bytes + capacity);
        if (memory->data() == nullptr) {
            set_message(message, std::strerror(errno));
            return nullptr;
        }
        return new bbipc_ring{{std::move(memory), capacity, is_new}};
    } catch (const std::exception&) {
        set_message(message, "out of memory");
        return nullptr;
    }
}

Clock::time_point after(std::uint32_t milliseconds) { return Clock::now() + std::chrono::milliseconds(milliseconds); }

}  // namespace

extern "C" {

bbipc_ring* bbipc_ring_new(std::int32_t file, std::uint64_t capacity, char* message) {
    if (!is_capacity(capacity)) {
        set_message(message, "the size of a ring is a power of two from 64 bytes to 2 GiB");
        return nullptr;
    }
    return make_ring(file, capacity, true, message);
}

bbipc_ring* bbipc_ring_open(std::int32_t file, std::uint64_t file_size, char* message) {
    set_message(message, "");
    if (file_size <= control_bytes) return nullptr;
    const std::uint64_t capacity = file_size - control_bytes;
    if (!is_capacity(capacity)) {
        set_message(message, "its file does not have the size of a ring");
        return nullptr;
    }
    std::unique_ptr<bbipc_ring> ring(make_ring(file, capacity, false, message));
    if (!ring) return nullptr;
    return ring->ring.is_published() ? ring.release() : nullptr;
}

void bbipc_ring_publish(bbipc_ring* ring) {
    if (ring != nullptr) ring->ring.publish();
}

void bbipc_ring_free(bbipc_ring* ring) { delete ring; }

std::uint64_t bbipc_ring_max_message(const bbipc_ring* ring) { return ring == nullptr ? 0 : ring->ring.max_message(); }

const char* bbipc_ring_fault(const bbipc_ring* ring) { return ring == nullptr ? nullptr : ring->ring.fault(); }

std::int32_t bbipc_ring_take(bbipc_ring* ring, std::uint8_t* out, std::uint64_t room, std::uint64_t* size) {
    if (ring == nullptr || size == nullptr || (out == nullptr && room != 0)) return BBIPC_BAD_ARGUMENT;
    *size = 0;
    while (true) {
        std::uint64_t taken = 0;
        const Status status = ring->ring.take(out + *size, room - *size, taken);
        if (status == Status::ok) {
            *size += taken;
        } else if (*size != 0) {
            return BBIPC_OK;  // what is wrong now is found again by the next call
        } else {
            *size = taken;
            return static_cast<std::int32_t>(status);
        }
    }
}

std::int32_t bbipc_ring_put(bbipc_ring* ring, const std::uint8_t* frames, std::uint64_t length, std::uint64_t* written) {
    if (ring == nullptr || written == nullptr || (frames == nullptr && length != 0)) return BBIPC_BAD_ARGUMENT;
    return static_cast<std::int32_t>(ring->ring.put_run(frames, length, *written));
}

std::int32_t bbipc_ring_wait_for_data(bbipc_ring* ring, std::uint32_t milliseconds) {
    if (ring == nullptr) return BBIPC_BAD_ARGUMENT;
    return static_cast<std::int32_t>(ring->ring.wait_for_data(after(milliseconds)));
}

std::int32_t bbipc_ring_wait_for_room(bbipc_ring* ring, std::uint64_t length, std::uint32_t milliseconds) {
    if (ring == nullptr) return BBIPC_BAD_ARGUMENT;
    return static_cast<std::int32_t>(ring->ring.wait_for_room(length, after(milliseconds)));
}

std::int32_t bbipc_ring_serve(bbipc_ring* requests, bbipc_ring* responses, const bbipc_core* core,
                              const bbipc_answer_rules* rules, std::uint32_t milliseconds, std::uint8_t* out,
                              std::uint64_t room, std::uint64_t* size, bbipc_answered* answered) {
    if (requests == nullptr || responses == nullptr || core == nullptr || rules == nullptr) return BBIPC_BAD_ARGUMENT;
    if (size == nullptr || answered == nullptr || (out == nullptr && room != 0)) return BBIPC_BAD_ARGUMENT;
    return static_cast<std::int32_t>(
        serve(requests->ring, responses->ring, *core, *rules, after(milliseconds), out, room, *size, *answered));
}

void bbipc_ring_interrupt(bbipc_ring* ring, std::int32_t on) {
    if (ring != nullptr) ring->ring.interrupt(on != 0);
}

}  // extern "C"
