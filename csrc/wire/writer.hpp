// Writes responses in the shortest msgpack, as bbipc/wire does, into memory whose size was checked before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bbipc::wire {

class Writer {
  public:
    explicit Writer(std::uint8_t* out) : start_(out), next_(out) {}

    std::size_t size() const { return static_cast<std::size_t>(next_ - start_); }

    void byte(std::uint8_t value) { *next_++ = value; }

    void raw(const void* data, std::size_t size) {
        std::memcpy(next_, data, size);
        next_ += size;
    }

    // At most 15 elements.
    void array(unsigned count) { byte(static_cast<std::uint8_t>(0x90 | count)); }
    void map(unsigned count) { byte(static_cast<std::uint8_t>(0x80 | count)); }

    // Fewer than 256 bytes.
    void text(std::string_view value) {
        if (value.size() < 32) {
            byte(static_cast<std::uint8_t>(0xa0 | value.size()));
        } else {
            byte(0xd9);
            byte(static_cast<std::uint8_t>(value.size()));
        }
        raw(value.data(), value.size());
    }

    void boolean(bool value) { byte(value ? 0xc3 : 0xc2); }

    void word(const std::uint8_t* data) { std::memcpy(word_space(), data, 32); }

    // Room for a bin of 32 bytes that is filled in later.
    std::uint8_t* word_space() {
        byte(0xc4);
        byte(32);
        std::uint8_t* const space = next_;
        next_ += 32;
        return space;
    }

    void unsigned_int(std::uint64_t value) {
        if (value <= 0x7f) return byte(static_cast<std::uint8_t>(value));
        unsigned log_width = 0;
        while (log_width < 3 && value >> (8u << log_width) != 0) ++log_width;
        byte(static_cast<std::uint8_t>(0xcc + log_width));
        for (unsigned shift = 8u << log_width; shift != 0; shift -= 8) byte(static_cast<std::uint8_t>(value >> (shift - 8)));
    }

    void little_endian(std::uint64_t value, unsigned width) {
        for (unsigned i = 0; i < width; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }

  private:
    std::uint8_t* start_;
    std::uint8_t* next_;
};

}  // namespace bbipc::wire
