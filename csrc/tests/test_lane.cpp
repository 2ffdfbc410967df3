// A lane, which reads and writes what other processes hold the other ends of: it answers what bbipc_answer_frames answers, leaves all
// else as it came, byte for byte, and ends when it is told to, also while a client keeps it busy. Run under the sanitizers, and under
// ThreadSanitizer.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <random>
#include <string>
#include <thread>

#include "check.hpp"
#include "paths.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;
using LanePtr = std::unique_ptr<bbipc_lane, decltype(&bbipc_lane_free)>;

constexpr std::uint32_t never = 60'000;  // milliseconds

Bytes frame(const std::string& payload) {
    const std::size_t size = payload.size();
    Bytes bytes = {static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8), 0, 0};
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

// clang-format off
// [["Blake2s", {"data": data}]], for at most 255 bytes.
Bytes blake2s_request(const std::string& data) {
    return frame("\x91\x92\xa7" "Blake2s\x81\xa4" "data\xc4" + std::string(1, static_cast<char>(data.size())) + data);
}

// What is for others: [["Stats", {}]].
Bytes other_request() { return frame("\x91\x92\xa5" "Stats\x80"); }
// clang-format on

// Both ends of a connection.
class Connection {
  public:
    explicit Connection(bool socket) {
        if (socket) {
            int both[2];
            CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
            receive = both[0], send = both[0], requests = both[1], responses = both[1];
        } else {
            int up[2], down[2];
            CHECK(::pipe2(up, O_CLOEXEC) == 0 && ::pipe2(down, O_CLOEXEC) == 0);
            receive = up[0], requests = up[1], responses = down[0], send = down[1];
            CHECK(::fcntl(receive, F_SETFL, O_NONBLOCK) == 0 && ::fcntl(send, F_SETFL, O_NONBLOCK) == 0);
        }
    }
    ~Connection() {
        end_requests();
        if (responses >= 0) ::close(responses);
        ::close(receive);
        if (send != receive) ::close(send);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void ask(const Bytes& bytes) const {
        CHECK(::write(requests, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    // That many bytes, or fewer if the lane has ended the connection.
    Bytes hear(std::size_t size) const {
        Bytes bytes(size);
        std::size_t have = 0;
        while (have < size) {
            const ssize_t got = ::read(responses, bytes.data() + have, size - have);
            if (got <= 0) break;
            have += static_cast<std::size_t>(got);
        }
        bytes.resize(have);
        return bytes;
    }
    void end_requests() {
        if (requests < 0) return;
        if (requests == responses) {
            ::shutdown(requests, SHUT_WR);
        } else {
            ::close(requests);
        }
        requests = -1;
    }
    void fill_responses() const {
        const Bytes zeros(1 << 16);
        for (std::size_t size = zeros.size(); size != 0; size /= 2) {
            while (requests == responses ? ::send(send, zeros.data(), size, MSG_DONTWAIT) > 0
                                         : ::write(send, zeros.data(), size) > 0) {
            }
        }
    }
    void hear_no_more() {
        if (requests == responses) requests = -1;
        ::close(responses);
        responses = -1;
    }

    int receive = -1, send = -1, requests = -1, responses = -1;
};

class Server {
  public:
    Server() : core(make_core(paths_under_test().front(), nullptr, nullptr)), lane(bbipc_lane_new(), bbipc_lane_free) {
        CHECK(core != nullptr && lane != nullptr);
        rules.commands = (1U << BBIPC_CHEAP_COMMANDS) - 1;
        rules.plain = 1;
        rules.max_work = 1'000'000;
        rules.max_payload = 1 << 20;
    }

    Bytes answer(const Bytes& request) const {
        Bytes out(1024);
        bbipc_answered answered;
        bbipc_answer_frames(core.get(), &rules, request.data(), request.size(), out.data(), out.size(), &answered);
        out.resize(answered.produced);
        return out;
    }
    std::uint64_t counted() const {
        std::uint64_t counts[BBIPC_CHEAP_COMMANDS], all = 0;
        bbipc_lane_take_counts(lane.get(), counts);
        for (const std::uint64_t count : counts) all += count;
        return all;
    }
    bbipc_lane_left serve(const Connection& connection, std::uint32_t idle = never, std::uint32_t longest = never) const {
        bbipc_lane_left left;
        std::memset(&left, 0xa5, sizeof left);
        bbipc_lane_serve(lane.get(), core.get(), &rules, connection.receive, connection.send, idle, longest, &left);
        return left;
    }

    Core core;
    LanePtr lane;
    bbipc_answer_rules rules = {};
};

bool is_rest(const bbipc_lane_left& left, const Bytes& expected) {
    return left.rest_size == expected.size() && std::memcmp(left.rest, expected.data(), expected.size()) == 0;
}

// A client in step, in whole and in cut requests, then something else.
void test_in_step(const Server& server, bool socket) {
    Connection connection(socket);
    std::mt19937_64 random(12);
    std::uint64_t received = 0, sent = 0;
    constexpr unsigned requests = 400;
    std::thread client([&] {
        for (unsigned i = 0; i < requests; ++i) {
            const Bytes request = blake2s_request(std::string(random() % 200, static_cast<char>(i)));
            const std::size_t cut = i % 3 == 0 ? random() % request.size() : 0;
            if (cut != 0) connection.ask(Bytes(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(cut)));
            connection.ask(Bytes(request.begin() + static_cast<std::ptrdiff_t>(cut), request.end()));
            const Bytes expected = server.answer(request);
            CHECK(!expected.empty() && connection.hear(expected.size()) == expected);
            received += request.size(), sent += expected.size();
        }
        connection.ask(other_request());
    });
    const bbipc_lane_left left = server.serve(connection);
    client.join();
    CHECK(left.requests == requests && left.received == received && left.sent == sent);
    CHECK(left.error == 0 && left.unsent_size == 0);
    CHECK(is_rest(left, other_request()));
    CHECK(server.counted() == requests && server.counted() == 0);
}

// A second request before the first is answered: one response, and the second request is left as it came.
void test_two_at_once(const Server& server, bool socket) {
    const Connection connection(socket);
    const Bytes first = blake2s_request("first"), second = blake2s_request("second");
    Bytes both = first;
    both.insert(both.end(), second.begin(), second.end());
    connection.ask(both);
    const bbipc_lane_left left = server.serve(connection);
    CHECK(left.requests == 1 && is_rest(left, second));
    CHECK(connection.hear(left.sent) == server.answer(first));
    CHECK(server.counted() == 1);
}

// Bytes of any kind are left, or the beginning of a frame; the most that can come at once, too.
void test_anything(const Server& server, bool socket) {
    std::mt19937_64 random(13);
    for (unsigned i = 0; i < 200; ++i) {
        Connection connection(socket);
        Bytes bytes = i % 2 == 0 ? Bytes() : blake2s_request(std::string(random() % 200, 'a'));
        if (bytes.empty()) {
            bytes.resize(1 + random() % 10'000);
            for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
        } else {
            bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
        }
        connection.ask(bytes);
        const Bytes expected = server.answer(bytes);
        connection.end_requests();
        const bbipc_lane_left left = server.serve(connection);
        const std::uint64_t rest = bytes.size() - left.received;
        CHECK(left.sent == expected.size() && left.unsent_size == 0 && left.error == 0);
        CHECK(left.rest_size == std::min<std::uint64_t>(rest, sizeof left.rest - left.received));
        CHECK(std::memcmp(left.rest, bytes.data() + left.received, left.rest_size) == 0);
        server.counted();
    }
}

// A client that does not read: what there was no room for is left. One that has gone, too.
void test_no_room(const Server& server, bool socket) {
    const Bytes request = blake2s_request("abc"), response = server.answer(request);
    for (const bool gone : {false, true}) {
        Connection connection(socket);
        connection.ask(request);
        if (gone) {
            connection.hear_no_more();
        } else {
            connection.fill_responses();
        }
        const bbipc_lane_left left = server.serve(connection);
        CHECK(left.requests == 1 && left.sent == 0 && left.rest_size == 0);
        CHECK(left.unsent_size == response.size() && std::memcmp(left.unsent, response.data(), response.size()) == 0);
        CHECK(server.counted() == 1);
    }
}

// Silence, the end of its time, and the end of the input.
void test_ends(const Server& server, bool socket) {
    Connection connection(socket);
    for (const bbipc_lane_left& left :
         {server.serve(connection, 1), server.serve(connection, never, 1), server.serve(connection, 0)}) {
        CHECK(left.requests == 0 && left.rest_size == 0 && left.unsent_size == 0 && left.error == 0);
    }
    connection.end_requests();
    const bbipc_lane_left left = server.serve(connection);
    CHECK(left.requests == 0 && left.error == 0);
}

// A client that never pauses does not keep a lane from ending; whoever counts meanwhile sees each request once.
void test_interrupted(const Server& server, bool socket) {
    for (const bool busy : {false, true}) {
        Connection connection(socket);
        const Bytes request = blake2s_request("abc"), response = server.answer(request);
        std::atomic<unsigned> heard{0};
        std::atomic<bool> over{false};
        std::thread client([&] {
            while (busy) {
                connection.ask(request);
                pollfd file = {connection.responses, POLLIN, 0};
                for (bool last = over; ::poll(&file, 1, 10) != 1; last = over) {
                    if (last) return;  // the request is left to others
                }
                CHECK(connection.hear(response.size()) == response);
                ++heard;
            }
        });
        std::uint64_t counted = 0;
        bool uncounted = false;  // a response that somebody has
        std::thread other([&] {
            while (busy && heard < 500) {
                const unsigned before = heard;
                counted += server.counted();
                uncounted = uncounted || counted < before;
            }
            bbipc_lane_interrupt(server.lane.get(), 1);
        });
        const bbipc_lane_left left = server.serve(connection);
        over = true;
        other.join();
        client.join();
        CHECK(left.requests == heard && (!busy || heard >= 500) && !uncounted);
        CHECK(counted + server.counted() == left.requests);
        CHECK(server.serve(connection).requests == 0);  // as long as it is on
        bbipc_lane_interrupt(server.lane.get(), 0);
        CHECK(server.serve(connection, 1).requests == (busy ? 1 : 0));  // the request that was left
        server.counted();
    }
}

}  // namespace

int main() {
    ::signal(SIGPIPE, SIG_IGN);
    const Server server;
    for (const bool socket : {false, true}) {
        test_in_step(server, socket);
        test_two_at_once(server, socket);
        test_anything(server, socket);
        test_no_room(server, socket);
        test_ends(server, socket);
        test_interrupted(server, socket);
    }
    return check_result();
}
