// Requests for the commands that cost little: their dialect, id, command and fields. bbipc/wire and bbipc/server/commands have
// the rules; what is read here is read there to the same fields, and what is not read here is left to them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../include/bbipc_core.h"

namespace bbipc::wire {

// A request whose payload has at most this many bytes has at most max_words elements: one takes 34 bytes or more.
inline constexpr std::size_t max_payload = 4096;
inline constexpr std::size_t max_words = max_payload / 34;

struct Value {
    const std::uint8_t* data;  // bytes in the payload, or elements or x | y in `words` of the request
    std::size_t size;          // bytes
    bool flag;
};

struct Request {
    enum class Dialect : std::uint8_t { plain, tagged, envelope };

    Dialect dialect;
    std::uint64_t id;
    int command;     // BBIPC_CHEAP_...
    Value value[2];  // in the order of the schema
    std::uint8_t words[(max_words + 4) * 32];
};

// Whether the payload is a request that is answered here. The request points into the payload and into itself.
bool read_request(const std::uint8_t* payload, std::size_t size, bool envelope, Request& request);

}  // namespace bbipc::wire
