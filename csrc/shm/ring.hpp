// One direction of the shared-memory transport of bb 5.0.0: a ring of messages between two processes (docs/protocol.md, "Shared
// memory").
//
// Nothing in the memory is trusted: the other side may change every byte at any time. So each control word is read once and
// checked against what this side knows by itself (its capacity, and its own position), a length is copied before it is checked,
// and a message is copied before anybody looks into it. What is read is read by atomic accesses, or by memcpy into memory of
// our own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "../include/bbipc_core.h"
#include "memory.hpp"

namespace bbipc::shm {

inline constexpr std::size_t header_bytes = 4;
inline constexpr std::size_t control_bytes = 256;

// How the memory begins; all integers are little-endian, as the machines are on which bb runs.
struct Control {
    alignas(64) std::atomic<std::uint64_t> head;  // bytes ever written, with padding; the consumer sleeps at its low half
    std::atomic<std::uint64_t> wrap_head;         // head at which the newest message was written that begins at offset 0
    std::atomic<std::uint8_t> producer_blocked;   // the producer sleeps
    alignas(64) std::atomic<std::uint64_t> tail;  // bytes ever consumed; the producer sleeps at its low half
    std::atomic<std::uint8_t> consumer_blocked;   // the consumer sleeps
    alignas(64) std::atomic<std::uint64_t> capacity;
    alignas(64) std::atomic<std::uint64_t> mask;
};
static_assert(sizeof(Control) == control_bytes);
static_assert(offsetof(Control, wrap_head) == 8 && offsetof(Control, producer_blocked) == 16);
static_assert(offsetof(Control, tail) == 64 && offsetof(Control, consumer_blocked) == 72);
static_assert(offsetof(Control, capacity) == 128 && offsetof(Control, mask) == 192);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

enum class Status : std::int32_t {
    ok = BBIPC_OK,
    nothing = BBIPC_RING_NOTHING,
    no_space = BBIPC_RING_NO_SPACE,
    too_long = BBIPC_RING_TOO_LONG,
    broken = BBIPC_RING_BROKEN,
    interrupted = BBIPC_RING_INTERRUPTED,
};

// A power of two from 64 bytes to 2 GiB.
bool is_capacity(std::uint64_t capacity);

using Clock = std::chrono::steady_clock;

// Whether a wait begins with a spin. A client in step answers within microseconds, and a sleep costs some fifty on both sides. But
// one that shares our processor cannot answer as long as we spin: if many spins on end bring nothing, many waits sleep at once. It
// takes many spins, some milliseconds, because only while both sides want to run does the system see that they should run on two
// processors.
class Spins {
  public:
    // Asked at the beginning of each wait.
    bool next() {
        if (!lively_) return false;
        if (sleeps_ == 0) return true;
        --sleeps_;
        return false;
    }
    // What the spin brought.
    void ended(bool fruitful) {
        vain_ = fruitful ? 0 : vain_ + 1;
        if (vain_ == most_in_vain) {
            vain_ = 0;
            sleeps_ = sleeps_afterwards;
        }
    }
    // Whether messages come at all; without them there is no spin.
    void set_lively(bool lively) { lively_ = lively; }

    static constexpr unsigned most_in_vain = 32;
    static constexpr unsigned sleeps_afterwards = 1024;

  private:
    bool lively_ = true;
    unsigned vain_ = 0;
    unsigned sleeps_ = 0;  // waits that still sleep at once
};

// One side of a ring: only its producer calls put() and wait_for_room(), only its consumer take() and wait_for_data(). One
// thread consumes; any may produce.
class Ring {
  public:
    // `memory` has control_bytes + capacity bytes. A new one is filled with zeros by the system.
    Ring(std::unique_ptr<SharedMemory> memory, std::uint64_t capacity, bool is_new);

    // Lets the other side in.
    void publish();
    // Whether the side that made it has done so, with the capacity that the file has.
    bool is_published() const;

    // The longest message, without its length.
    std::uint64_t max_message() const { return capacity_ / 2 - header_bytes; }

    // Copies one message with its length in front. If that needs more than `room` bytes, no_space, and `size` is what it needs.
    Status take(std::uint8_t* out, std::uint64_t room, std::uint64_t& size);
    // Writes one message.
    Status put(const std::uint8_t* payload, std::uint64_t length);
    // Writes whole messages of a run, each with its length in front, as long as there is room; `written`: their bytes.
    Status put_run(const std::uint8_t* frames, std::uint64_t length, std::uint64_t& written);

    // Sleeps until a message is there, or room for one of `length` bytes.
    Status wait_for_data(Clock::time_point deadline);
    Status wait_for_room(std::uint64_t length, Clock::time_point deadline);
    // Ends the sleep of another thread of this process, and every later one while `on`.
    void interrupt(bool on);
    bool is_interrupted() const { return interrupted_.load(std::memory_order_acquire); }

    const char* fault() const { return fault_.load(std::memory_order_acquire); }

  private:
    enum class Side { consumer, producer };

    std::uint8_t* data() const { return memory_->data() + control_bytes; }
    Status broken(const char* fault);
    Status peek_data();
    Status peek_room(std::uint64_t length);
    template <class Peek>
    Status sleep(Side side, Clock::time_point deadline, const Peek& peek);

    std::unique_ptr<SharedMemory> memory_;
    Control& control_;
    const std::uint64_t capacity_;
    const bool may_spin_;
    std::uint64_t head_ = 0;  // our own, if we are the producer
    std::uint64_t tail_ = 0;  // our own, if we are the consumer
    Spins consumer_spins_, producer_spins_;
    std::mutex producing_;
    std::atomic<bool> interrupted_{false};
    std::atomic<const char*> fault_{nullptr};
};

}  // namespace bbipc::shm
