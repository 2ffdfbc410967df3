#include "ring.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>

namespace bbipc::shm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t no_wrap = ~std::uint64_t{0};
// A wake can be missed if the other side dies between its store and its wake, or clears our flag; so no sleep is longer.
constexpr auto longest_sleep = 100ms;
// Longer than it takes the other side to wake up and answer.
constexpr auto longest_spin = 100us;
constexpr int looks_between_clocks = 32;

static_assert(std::endian::native == std::endian::little);

std::uint32_t* low_half(std::atomic<std::uint64_t>& word) { return reinterpret_cast<std::uint32_t*>(&word); }

void futex_wait(std::atomic<std::uint64_t>& word, std::uint64_t seen, std::chrono::nanoseconds most) {
    timespec time = {};
    time.tv_sec = most / 1s;
    time.tv_nsec = (most % 1s).count();
    ::syscall(SYS_futex, low_half(word), FUTEX_WAIT, static_cast<std::uint32_t>(seen), &time, nullptr, 0);
}

void futex_wake(std::atomic<std::uint64_t>& word) {
    ::syscall(SYS_futex, low_half(word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield" ::: "memory");
#endif
}

bool several_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}

}  // namespace

bool is_capacity(std::uint64_t capacity) {
    return std::has_single_bit(capacity) && capacity >= 64 && capacity <= std::uint64_t{1} << 31;
}

Ring::Ring(std::unique_ptr<SharedMemory> memory, std::uint64_t capacity, bool is_new)
    : memory_(std::move(memory)),
      control_(*reinterpret_cast<Control*>(memory_->data())),
      capacity_(capacity),
      may_spin_(several_processors()) {
    if (is_new) {
        control_.wrap_head.store(no_wrap, std::memory_order_relaxed);
    } else {
        head_ = control_.head.load(std::memory_order_acquire);
        tail_ = control_.tail.load(std::memory_order_acquire);
    }
}

void Ring::publish() {
    control_.mask.store(capacity_ - 1, std::memory_order_relaxed);
    control_.capacity.store(capacity_, std::memory_order_release);
}

bool Ring::is_published() const { return control_.capacity.load(std::memory_order_acquire) == capacity_; }

Status Ring::broken(const char* fault) {
    const char* none = nullptr;
    fault_.compare_exchange_strong(none, fault, std::memory_order_acq_rel);
    return Status::broken;
}

Status Ring::take(std::uint8_t* out, std::uint64_t room, std::uint64_t& size) {
    size = 0;
    if (fault() != nullptr) return Status::broken;
    const std::uint64_t used = control_.head.load(std::memory_order_acquire) - tail_;
    if (memory_->lost()) return broken("its file was cut short, or /dev/shm is full");
    if (used == 0) return Status::nothing;
    if (used > capacity_) return broken("head is not between tail and tail + capacity");
    const std::uint64_t position = tail_ & (capacity_ - 1);
    const bool wrapped = control_.wrap_head.load(std::memory_order_relaxed) == tail_;
    const std::uint64_t padding = wrapped ? capacity_ - position : 0;
    const std::uint64_t start = wrapped ? 0 : position;
    if (wrapped && position == 0) return broken("wrap_head names a message that cannot have wrapped");
    if (capacity_ - start < header_bytes || used < padding || used - padding < header_bytes) {
        return broken("a message without room for its length");
    }
    std::uint32_t length = 0;
    std::memcpy(&length, data() + start, sizeof length);
    std::uint64_t needed = header_bytes + std::uint64_t{length};
    if (needed > capacity_ / 2) return broken("the length of a message is more than half of the capacity");
    if (needed > used - padding) return broken("a message longer than what was written");
    if (needed > capacity_ - start) return broken("a message that reaches over the end of the ring");
    if (needed > room) {
        size = needed;
        return Status::no_space;
    }
    // The length is written as it was checked: the one in the ring may be another by now.
    std::memcpy(out, &length, sizeof length);
    std::memcpy(out + header_bytes, data() + start + header_bytes, length);
    if (memory_->lost()) return broken("its file was cut short, or /dev/shm is full");
    tail_ += padding + needed;
    control_.tail.store(tail_, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    // A producer sleeps only when the ring is nearly full; where its flag is lost, its own bound helps.
    if (used > capacity_ / 4 || control_.producer_blocked.load(std::memory_order_relaxed) != 0) {
        futex_wake(control_.tail);
    }
    size = needed;
    return Status::ok;
}

Status Ring::peek_data() {
    if (fault() != nullptr || control_.head.load(std::memory_order_acquire) != tail_) return Status::ok;
    return memory_->lost() ? Status::ok : Status::nothing;
}

Status Ring::peek_room(std::uint64_t length) {
    const std::uint64_t needed = header_bytes + length;
    if (length > max_message()) return Status::too_long;
    const std::uint64_t used = head_ - control_.tail.load(std::memory_order_acquire);
    if (memory_->lost()) return broken("its file was cut short, or /dev/shm is full");
    if (used > capacity_) return broken("tail is not between head - capacity and head");
    const std::uint64_t to_end = capacity_ - (head_ & (capacity_ - 1));
    return capacity_ - used >= (needed <= to_end ? needed : to_end + needed) ? Status::ok : Status::nothing;
}

Status Ring::put(const std::uint8_t* payload, std::uint64_t length) {
    const std::lock_guard lock(producing_);
    if (fault() != nullptr) return Status::broken;
    const Status room = peek_room(length);
    if (room != Status::ok) return room;
    const std::uint64_t needed = header_bytes + length;
    const std::uint64_t position = head_ & (capacity_ - 1);
    const bool wraps = needed > capacity_ - position;
    std::uint8_t* const start = data() + (wraps ? 0 : position);
    const auto header = static_cast<std::uint32_t>(length);
    std::memcpy(start, &header, sizeof header);
    if (length != 0) std::memcpy(start + header_bytes, payload, length);
    if (wraps) control_.wrap_head.store(head_, std::memory_order_release);
    head_ += needed + (wraps ? capacity_ - position : 0);
    control_.head.store(head_, std::memory_order_release);
    if (memory_->lost()) return broken("its file was cut short, or /dev/shm is full");
    futex_wake(control_.head);  // always: whether the consumer's flag was seen in time is not known
    return Status::ok;
}

Status Ring::put_run(const std::uint8_t* frames, std::uint64_t length, std::uint64_t& written) {
    written = 0;
    while (length - written >= header_bytes) {
        std::uint32_t size = 0;
        std::memcpy(&size, frames + written, sizeof size);
        if (size > length - written - header_bytes) return Status::too_long;
        const Status status = put(frames + written + header_bytes, size);
        if (status != Status::ok) return status == Status::nothing && written != 0 ? Status::ok : status;
        written += header_bytes + size;
    }
    return written == length ? Status::ok : Status::too_long;
}

template <class Peek>
Status Ring::sleep(Side side, Clock::time_point deadline, const Peek& peek) {
    std::atomic<std::uint64_t>& word = side == Side::consumer ? control_.head : control_.tail;
    std::atomic<std::uint8_t>& flag = side == Side::consumer ? control_.consumer_blocked : control_.producer_blocked;
    Spins& spins = side == Side::consumer ? consumer_spins_ : producer_spins_;
    if (may_spin_ && spins.next()) {
        const auto end = std::min(deadline, Clock::now() + longest_spin);
        do {
            for (int i = 0; i < looks_between_clocks; ++i) {
                if (const Status seen = peek(); seen != Status::nothing) {
                    spins.ended(true);
                    return seen;
                }
                relax();
            }
        } while (Clock::now() < end && !interrupted_.load(std::memory_order_relaxed));
        spins.ended(false);
    }
    const auto asleep = Clock::now();
    while (true) {
        if (interrupted_.load(std::memory_order_acquire)) return Status::interrupted;
        const std::uint64_t seen = word.load(std::memory_order_acquire);
        flag.store(1, std::memory_order_seq_cst);
        const Status status = peek();
        const auto now = Clock::now();
        if (status != Status::nothing || now >= deadline) {
            flag.store(0, std::memory_order_release);
            spins.set_lively(status != Status::nothing && now - asleep < longest_sleep);
            return status;
        }
        futex_wait(word, seen, std::min<std::chrono::nanoseconds>(deadline - now, longest_sleep));
        flag.store(0, std::memory_order_release);
    }
}

Status Ring::wait_for_data(Clock::time_point deadline) {
    return sleep(Side::consumer, deadline, [this] { return peek_data(); });
}

Status Ring::wait_for_room(std::uint64_t length, Clock::time_point deadline) {
    return sleep(Side::producer, deadline, [this, length] {
        const std::lock_guard lock(producing_);
        return fault() != nullptr ? Status::broken : peek_room(length);
    });
}

void Ring::interrupt(bool on) {
    interrupted_.store(on, std::memory_order_release);
    if (on) {
        futex_wake(control_.head);
        futex_wake(control_.tail);
    }
}

}  // namespace bbipc::shm
