// Shared memory under a hostile other side: whatever stands in it, also if it changes while it is read, nothing is read or written
// outside (the sanitizers see to that), every call returns, and what is taken is a whole number of messages. Two processes that
// follow the rules lose nothing and tear nothing.
//
// BBIPC_RING_SECONDS: how long the two processes go on, and how long the memory is scribbled into; by default a fixed number of
// messages.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "../shm/ring.hpp"
#include "check.hpp"
#include "paths.hpp"

namespace {

using namespace bbipc::shm;
using Bytes = std::vector<std::uint8_t>;
using RingPtr = std::unique_ptr<bbipc_ring, decltype(&bbipc_ring_free)>;
using Random = std::mt19937_64;

constexpr std::uint64_t ring_bytes = 4096;

double seconds() {
    const char* const text = std::getenv("BBIPC_RING_SECONDS");
    return text != nullptr ? std::atof(text) : 0;
}

// Whether a loop goes on: for the time that was asked for, or so many times.
class Turns {
  public:
    explicit Turns(std::uint64_t times) : left_(times) {}
    bool more() {
        if (seconds() > 0) return std::chrono::duration<double>(Clock::now() - start_).count() < seconds();
        return left_-- != 0;
    }

  private:
    std::uint64_t left_;
    Clock::time_point start_ = Clock::now();
};

// A file of zeros with room for a ring.
class File {
  public:
    explicit File(std::uint64_t capacity) : capacity(capacity), descriptor(::memfd_create("ring", MFD_CLOEXEC)) {
        CHECK(descriptor >= 0 && ::ftruncate(descriptor, static_cast<off_t>(size())) == 0);
        memory = static_cast<std::uint8_t*>(::mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0));
        CHECK(memory != MAP_FAILED);
    }
    ~File() {
        ::munmap(memory, size());
        ::close(descriptor);
    }
    std::size_t size() const { return control_bytes + capacity; }

    RingPtr make() const {
        RingPtr ring(bbipc_ring_new(descriptor, capacity, nullptr), bbipc_ring_free);
        CHECK(ring != nullptr);
        bbipc_ring_publish(ring.get());
        return ring;
    }
    RingPtr open() const { return {bbipc_ring_open(descriptor, size(), nullptr), bbipc_ring_free}; }

    void write(std::size_t offset, std::uint64_t value, std::size_t width = 8) const {
        for (std::size_t i = 0; i < width; ++i) {
            std::atomic_ref<std::uint8_t>(memory[offset + i])
                .store(static_cast<std::uint8_t>(value >> (8 * i)), std::memory_order_relaxed);
        }
    }
    std::uint64_t read(std::size_t offset) const {
        std::uint64_t value = 0;
        std::memcpy(&value, memory + offset, sizeof value);
        return value;
    }

    const std::uint64_t capacity;
    const int descriptor;
    std::uint8_t* memory = nullptr;
};

Bytes framed(const Bytes& payload) {
    Bytes frame(header_bytes + payload.size());
    const auto length = static_cast<std::uint32_t>(payload.size());
    std::memcpy(frame.data(), &length, sizeof length);
    if (!payload.empty()) std::memcpy(frame.data() + header_bytes, payload.data(), payload.size());
    return frame;
}

// [[name, {key: bytes}]] in msgpack.
Bytes blake2s_request(Random& random) {
    Bytes request = {0x91, 0x92, 0xa7, 'B', 'l', 'a', 'k', 'e', '2', 's', 0x81, 0xa4, 'd', 'a', 't', 'a', 0xc4, 0};
    const auto size = static_cast<std::uint8_t>(random() % 200);
    request.back() = size;
    for (unsigned i = 0; i < size; ++i) request.push_back(static_cast<std::uint8_t>(random()));
    return request;
}

constexpr std::size_t words[] = {0, 8, 64, 128, 192};  // head, wrap_head, tail, capacity, mask

// A value that is near something that matters, or any.
std::uint64_t adverse(const File& file, Random& random) {
    const std::uint64_t near[] = {0, file.capacity, file.read(0), file.read(64), 1ull << 32, 1ull << 63, ~0ull};
    const std::uint64_t offset = random() % 3 == 0 ? random() % (2 * file.capacity) : random() % 9 - 4;
    return random() % 16 == 0 ? random() : near[random() % std::size(near)] + offset;
}

void scribble(const File& file, Random& random) {
    switch (random() % 8) {
        case 0: file.write(16, random(), 1); break;
        case 1: file.write(72, random(), 1); break;
        case 2:
        case 3: file.write(control_bytes + random() % (file.capacity - 4), random() % 3 ? random() % 64 : random(), 4); break;
        case 4: {  // the length of the message that is next
            const std::uint64_t position = file.read(64) & (file.capacity - 1);
            if (position + 4 <= file.capacity) file.write(control_bytes + position, adverse(file, random), 4);
            break;
        }
        default: file.write(words[random() % std::size(words)], adverse(file, random));
    }
}

bool is_whole_frames(const Bytes& data, std::uint64_t size) {
    std::uint64_t at = 0;
    while (at < size) {
        std::uint32_t length = 0;
        if (size - at < sizeof length) return false;
        std::memcpy(&length, data.data() + at, sizeof length);
        at += header_bytes + length;
    }
    return at == size;
}

struct Served {
    std::uint64_t answered = 0, broken = 0, passed_on = 0;
};

// What the server does with a pair of rings, until one is broken or nothing is there.
void serve_once(bbipc_ring* requests, bbipc_ring* responses, const bbipc_core* core, Served& served) {
    bbipc_answer_rules rules{};
    rules.commands = (1u << BBIPC_CHEAP_COMMANDS) - 1;
    rules.plain = 1;
    rules.max_payload = 4096;
    rules.max_work = ~0ull;
    Bytes out(ring_bytes);
    std::uint64_t size = 0;
    bbipc_answered answered{};
    const std::int32_t status =
        bbipc_ring_serve(requests, responses, core, &rules, 1, out.data(), out.size(), &size, &answered);
    served.answered += answered.answered[BBIPC_CHEAP_BLAKE2S];
    if (status == BBIPC_OK) {
        ++served.passed_on;
        CHECK(size >= header_bytes && size <= out.size() && is_whole_frames(out, size));
        std::uint64_t written = 0;
        bbipc_ring_put(responses, out.data(), size, &written);  // an answer of some length
    }
    served.broken += status == BBIPC_RING_BROKEN;
    CHECK(status != BBIPC_RING_BROKEN || bbipc_ring_fault(requests) != nullptr);
}

// Between the steps of the server: every state of the memory that the rules do not forbid, and many that they do.
void changes_between_steps(const bbipc_core* core, std::uint64_t times) {
    Random random(1);
    Served served;
    for (Turns turns(times); turns.more();) {
        File to_server(ring_bytes), to_client(ring_bytes);
        RingPtr requests = to_server.make(), responses = to_client.make();
        RingPtr sender = to_server.open(), reader = to_client.open();
        CHECK(sender != nullptr && reader != nullptr);
        Bytes out(ring_bytes);
        bool cut = false;  // our own mapping of the file has no handler
        for (int step = 0; step < 12 && bbipc_ring_fault(requests.get()) == nullptr; ++step) {
            std::uint64_t count = 0;
            for (std::uint64_t i = random() % 6; i != 0; --i) {
                const Bytes frame = framed(random() % 8 ? blake2s_request(random) : Bytes(random() % 1500, 0x91));
                bbipc_ring_put(sender.get(), frame.data(), frame.size(), &count);
            }
            if (!cut && random() % 3 == 0) scribble(to_server, random);
            if (random() % 3 == 0) scribble(to_client, random);
            if (random() % 400 == 0) {
                CHECK(::ftruncate(to_server.descriptor, static_cast<off_t>(random() % 300)) == 0);
                cut = true;
            }
            if (random() % 2) {
                serve_once(requests.get(), responses.get(), core, served);
            } else if (bbipc_ring_take(requests.get(), out.data(), out.size(), &count) == BBIPC_OK) {
                CHECK(count <= out.size() && is_whole_frames(out, count));
            }
            if (bbipc_ring_take(reader.get(), out.data(), out.size(), &count) == BBIPC_OK) CHECK(is_whole_frames(out, count));
            if (bbipc_ring_fault(reader.get()) != nullptr) reader = to_client.open();
            if (reader == nullptr) break;
        }
    }
    CHECK(served.answered > 0);
    CHECK(served.broken > 0);
    CHECK(served.passed_on > 0);
}

// While the server works, by another thread: between two reads of one word, too.
void changes_at_any_time(const bbipc_core* core, std::uint64_t rounds) {
    Served served;
    Random seeds(2);
    for (Turns turns(rounds); turns.more();) {
        File to_server(ring_bytes), to_client(ring_bytes);
        RingPtr requests = to_server.make(), responses = to_client.make();
        std::atomic<bool> end{false};
        std::thread client([&, seed = seeds()] {
            Random random(seed);
            RingPtr sender = to_server.open();
            while (!end.load()) {
                std::uint64_t count = 0;
                const Bytes frame = framed(blake2s_request(random));
                if (sender != nullptr) bbipc_ring_put(sender.get(), frame.data(), frame.size(), &count);
                // A client in the midst of things leaves its tail behind the answers.
                if (random() % 2) to_client.write(64, to_client.read(0));
                if (random() % 24 == 0) scribble(random() % 2 ? to_server : to_client, random);
            }
        });
        for (int step = 0; step < 200 && bbipc_ring_fault(requests.get()) == nullptr; ++step) {
            serve_once(requests.get(), responses.get(), core, served);
        }
        end.store(true);
        client.join();
    }
    CHECK(served.answered > 0);
    CHECK(served.broken > 0);
}

// The file is cut short while it is in use.
void cut_at_any_time(const bbipc_core* core, int rounds) {
    Random random(3);
    for (int round = 0; round < rounds; ++round) {
        File to_server(1 << 16), to_client(1 << 16);
        RingPtr requests = to_server.make(), responses = to_client.make(), sender = to_server.open();
        std::thread client([&, delay = random() % 300] {
            Random mine(round);
            std::uint64_t count = 0;
            for (std::uint64_t i = 0; i < delay; ++i) {
                const Bytes frame = framed(blake2s_request(mine));
                bbipc_ring_put(sender.get(), frame.data(), frame.size(), &count);
            }
            const File& cut = round % 2 ? to_server : to_client;
            CHECK(::ftruncate(cut.descriptor, 0) == 0);
            for (int i = 0; i < 50; ++i) {
                const Bytes frame = framed(blake2s_request(mine));
                bbipc_ring_put(sender.get(), frame.data(), frame.size(), &count);
            }
        });
        Served served;
        for (int step = 0; step < 100 && bbipc_ring_fault(requests.get()) == nullptr; ++step) {
            serve_once(requests.get(), responses.get(), core, served);
        }
        client.join();
        CHECK(round % 2 == 0 || bbipc_ring_fault(requests.get()) != nullptr || bbipc_ring_fault(sender.get()) != nullptr);
    }
}

// A message whose bytes all follow from its number.
Bytes numbered(std::uint64_t number) {
    Random random(number);
    Bytes payload(8 + random() % (random() % 8 ? 200 : 2000));
    std::memcpy(payload.data(), &number, 8);
    for (std::size_t i = 8; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(number * 31 + i);
    return framed(payload);
}

bool put_all(bbipc_ring* ring, const Bytes& frame) {
    std::uint64_t written = 0;
    while (true) {
        const std::int32_t status = bbipc_ring_put(ring, frame.data(), frame.size(), &written);
        if (status == BBIPC_OK) return written == frame.size();
        if (status != BBIPC_RING_NOTHING) return false;
        bbipc_ring_wait_for_room(ring, frame.size() - header_bytes, 1000);
    }
}

// Takes messages from one ring and puts them into the other, until one has no content.
int echo(bbipc_ring* from, bbipc_ring* to) {
    Bytes out(ring_bytes);
    while (true) {
        std::uint64_t size = 0;
        const std::int32_t status = bbipc_ring_take(from, out.data(), out.size(), &size);
        if (status == BBIPC_RING_NOTHING) {
            bbipc_ring_wait_for_data(from, 1000);
            continue;
        }
        if (status != BBIPC_OK) return 1;
        for (std::uint64_t at = 0; at < size;) {
            std::uint32_t length = 0;
            std::memcpy(&length, out.data() + at, sizeof length);
            if (length == 0) return 0;
            const Bytes frame(out.data() + at, out.data() + at + header_bytes + length);
            if (!put_all(to, frame)) return 2;
            at += frame.size();
        }
    }
}

// Two processes, both rings full as often as empty.
void two_processes(std::uint64_t messages) {
    File there(ring_bytes), back(ring_bytes);
    RingPtr requests = there.make(), responses = back.make();
    const pid_t child = ::fork();
    if (child == 0) {
        RingPtr from = there.open(), to = back.open();
        ::_exit(from == nullptr || to == nullptr ? 3 : echo(from.get(), to.get()));
    }
    std::atomic<std::uint64_t> sent{0};
    std::atomic<bool> all{false};
    std::thread sender([&] {
        for (Turns turns(messages); turns.more() && put_all(requests.get(), numbered(sent.load()));) sent.fetch_add(1);
        all.store(true);
    });
    std::uint64_t received = 0;
    bool right = true;
    Bytes out(ring_bytes);
    while (right && !(all.load() && received == sent.load())) {
        std::uint64_t size = 0;
        if (bbipc_ring_take(responses.get(), out.data(), out.size(), &size) != BBIPC_OK) {
            CHECK(bbipc_ring_fault(responses.get()) == nullptr);
            bbipc_ring_wait_for_data(responses.get(), 20);
            continue;
        }
        for (std::uint64_t at = 0; right && at < size;) {
            const Bytes expected = numbered(received);
            right = size - at >= expected.size() && std::memcmp(out.data() + at, expected.data(), expected.size()) == 0;
            at += expected.size();
            ++received;
        }
    }
    CHECK(right);
    sender.join();
    CHECK(put_all(requests.get(), framed({})));
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(received == sent.load() && received >= std::min<std::uint64_t>(messages, 1000));
    std::printf("%llu messages there and back\n", static_cast<unsigned long long>(received));
}

void limits() {
    File file(ring_bytes);
    CHECK(bbipc_ring_new(file.descriptor, 100, nullptr) == nullptr);
    CHECK(bbipc_ring_open(file.descriptor, 256, nullptr) == nullptr);
    CHECK(bbipc_ring_open(file.descriptor, file.size(), nullptr) == nullptr);  // not published
    const RingPtr ring = file.make();
    CHECK(bbipc_ring_max_message(ring.get()) == ring_bytes / 2 - 4);
    std::uint64_t written = 0;
    CHECK(bbipc_ring_put(ring.get(), framed(Bytes(ring_bytes / 2 - 3)).data(), ring_bytes / 2 + 1, &written) ==
          BBIPC_RING_TOO_LONG);
    CHECK(written == 0);
    const Bytes largest = framed(Bytes(ring_bytes / 2 - 4, 7));
    CHECK(bbipc_ring_put(ring.get(), largest.data(), largest.size(), &written) == BBIPC_OK);
    Bytes out(ring_bytes);
    std::uint64_t size = 0;
    CHECK(bbipc_ring_take(ring.get(), out.data(), 100, &size) == BBIPC_RING_NO_SPACE && size == largest.size());
    CHECK(bbipc_ring_take(ring.get(), out.data(), size, &size) == BBIPC_OK && size == largest.size());
    out.resize(size);
    CHECK(out == largest);
}

// How many of the next waits begin with a spin, if none of them brings anything.
std::size_t spins_of(Spins& spins, std::size_t waits) {
    std::size_t count = 0;
    while (waits-- != 0) {
        if (spins.next()) {
            ++count;
            spins.ended(false);
        }
    }
    return count;
}

void waits_that_spin() {
    Spins spins;
    CHECK(spins_of(spins, Spins::most_in_vain - 1) == Spins::most_in_vain - 1);
    CHECK(spins.next());
    spins.ended(true);  // one that brings something, and it begins anew
    CHECK(spins_of(spins, Spins::most_in_vain) == Spins::most_in_vain);
    CHECK(spins_of(spins, Spins::sleeps_afterwards) == 0);
    CHECK(spins_of(spins, Spins::most_in_vain + Spins::sleeps_afterwards) == Spins::most_in_vain);
    spins.set_lively(false);
    CHECK(!spins.next());
    spins.set_lively(true);
    CHECK(spins.next());
}

}  // namespace

int main() {
    limits();
    waits_that_spin();
    two_processes(20000);  // before there are threads
    for (const std::int32_t arith : paths_under_test()) {
        const Core core = make_core(arith, nullptr, nullptr);
        CHECK(core != nullptr);
        changes_between_steps(core.get(), 1500);
        changes_at_any_time(core.get(), 20);
        cut_at_any_time(core.get(), 40);
    }
    return check_result();
}
