#include "lane.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "answer.hpp"

namespace bbipc::wire {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A client that runs on another processor asks again within a few microseconds, and to sleep and be woken costs some ten. One that
// shares ours cannot ask as long as we look: after a spin in vain, the next waits begin with a sleep.
constexpr auto longest_spin = 20us;
constexpr unsigned sleeps_after_a_vain_spin = 64;
constexpr int looks_between_clocks = 8;

// One end of a connection. It never waits: a socket is asked for each call not to, anything else has O_NONBLOCK.
class End {
  public:
    explicit End(int descriptor) : descriptor_(descriptor) {
        struct stat status = {};
        is_socket_ = ::fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
    }

    ssize_t read(std::uint8_t* data, std::size_t size) const {
        return is_socket_ ? ::recv(descriptor_, data, size, MSG_DONTWAIT) : ::read(descriptor_, data, size);
    }

    ssize_t write(const std::uint8_t* data, std::size_t size) const {
        return is_socket_ ? ::send(descriptor_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(descriptor_, data, size);
    }

  private:
    int descriptor_;
    bool is_socket_;
};

bool is_for_now(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// Whether there is something to be read within that time; false if it is over or the lane was interrupted.
bool wait_for_input(int receive, int wake, std::chrono::nanoseconds most) {
    pollfd files[] = {{wake, POLLIN, 0}, {receive, POLLIN, 0}};
    const timespec time = {static_cast<std::time_t>(most / 1s), static_cast<long>((most % 1s).count())};
    const int ready = ::ppoll(files, 2, &time, nullptr);
    if (ready < 0) return errno == EINTR;
    return ready > 0 && files[0].revents == 0;
}

// Reads as soon as there is something, which a short spin may bring.
class Spin {
  public:
    // As read(); what it says first, unless that is that there is nothing yet.
    ssize_t read(const End& input, std::uint8_t* data, std::size_t size) {
        if (sleeps_ != 0) {
            --sleeps_;
            errno = EAGAIN;
            return -1;
        }
        const Clock::time_point end = Clock::now() + longest_spin;
        do {
            for (int look = 0; look < looks_between_clocks; ++look) {
                const ssize_t got = input.read(data, size);
                if (got >= 0 || !is_for_now(errno)) return got;
            }
        } while (Clock::now() < end);
        sleeps_ = sleeps_after_a_vain_spin;
        return -1;
    }

  private:
    unsigned sleeps_ = 0;
};

}  // namespace

Lane::Lane() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Lane::~Lane() {
    if (wake_ >= 0) ::close(wake_);
}

void Lane::interrupt(bool on) {
    interrupted_.store(on, std::memory_order_release);
    std::uint64_t value = 1;
    // Neither can fail in a way that matters: a counter that is full, or empty, is as it should be.
    [[maybe_unused]] const ssize_t done = on ? ::write(wake_, &value, sizeof value) : ::read(wake_, &value, sizeof value);
}

void Lane::take_counts(std::uint64_t (&counts)[BBIPC_CHEAP_COMMANDS]) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts[i] = counts_[i].exchange(0, std::memory_order_acq_rel);
}

void Lane::count(const bbipc_answered& answered) {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (answered.answered[i] != 0) counts_[i].fetch_add(answered.answered[i], std::memory_order_acq_rel);
    }
}

void Lane::serve(const bbipc_core& core, const bbipc_answer_rules& rules, int receive, int send, std::chrono::nanoseconds idle,
                 std::chrono::nanoseconds longest, bbipc_lane_left& left) {
    const End input(receive), output(send);
    bbipc_answer_rules one_by_one = rules;
    one_by_one.max_work = 1;  // reached by every request, and exceeded by none
    left.error = 0;
    left.received = left.sent = left.requests = 0;
    left.rest_size = left.unsent_size = 0;
    const Clock::time_point end = Clock::now() + longest;
    Spin spin;
    for (bool spins = false;; spins = true) {
        const std::chrono::nanoseconds most = std::min<std::chrono::nanoseconds>(idle, end - Clock::now());
        if (most <= 0ns || interrupted_.load(std::memory_order_acquire)) return;
        std::uint8_t* const place = left.rest + left.rest_size;
        const std::size_t room = sizeof left.rest - left.rest_size;
        ssize_t size = spins ? spin.read(input, place, room) : -1;
        if (!spins || (size < 0 && is_for_now(errno))) {
            if (!wait_for_input(receive, wake_, most)) return;
            size = input.read(place, room);
            if (size < 0 && is_for_now(errno)) continue;
        }
        if (size <= 0) {
            left.error = size < 0 ? errno : 0;
            return;
        }
        left.rest_size += static_cast<std::uint32_t>(size);
        bbipc_answered answered;
        answer_frames(core, one_by_one, left.rest, left.rest_size, left.unsent, sizeof left.unsent, answered);
        if (answered.consumed == 0) {
            if (answered.stopped == BBIPC_STOPPED_INPUT) continue;  // the beginning of a frame
            return;
        }
        count(answered);  // before anybody can know of it
        ++left.requests;
        left.received += answered.consumed;
        left.rest_size -= static_cast<std::uint32_t>(answered.consumed);
        std::memmove(left.rest, left.rest + answered.consumed, left.rest_size);
        const ssize_t written = output.write(left.unsent, answered.produced);
        const std::uint64_t sent = written < 0 ? 0 : static_cast<std::uint64_t>(written);
        left.sent += sent;
        left.unsent_size = static_cast<std::uint32_t>(answered.produced - sent);
        std::memmove(left.unsent, left.unsent + sent, left.unsent_size);
        // A client that does not wait for its responses, or does not read them.
        if (left.unsent_size != 0 || left.rest_size != 0) return;
    }
}

}  // namespace bbipc::wire
