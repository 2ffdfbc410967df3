// The msgpack of requests, one header at a time, as bbipc/wire/cursor.py reads it. What this does not know, it leaves to that:
// every function returns false for a value of another type, and for one that ends early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bbipc::wire {

class Reader {
  public:
    Reader(const std::uint8_t* data, std::size_t size) : next_(data), end_(data + size) {}

    bool at_end() const { return next_ == end_; }

    bool array(std::uint64_t& count) { return collection(0x90, 0xdc, count); }
    bool map(std::uint64_t& count) { return collection(0x80, 0xde, count); }

    // An unsigned format of any width.
    bool unsigned_int(std::uint64_t& value) {
        std::uint8_t tag;
        if (!byte(tag)) return false;
        if (tag <= 0x7f) {
            value = tag;
            return true;
        }
        return tag >= 0xcc && tag <= 0xcf && number(std::size_t{1} << (tag - 0xcc), value);
    }

    bool boolean(bool& value) {
        std::uint8_t tag;
        if (!byte(tag)) return false;
        value = tag == 0xc3;
        return tag == 0xc2 || tag == 0xc3;
    }

    // The bytes of a str.
    bool text(std::string_view& value) {
        std::uint8_t tag;
        std::uint64_t size;
        if (!byte(tag)) return false;
        if (tag >= 0xa0 && tag <= 0xbf) {
            size = tag & 0x1fu;
        } else if (tag < 0xd9 || tag > 0xdb || !number(std::size_t{1} << (tag - 0xd9), size)) {
            return false;
        }
        const std::uint8_t* start;
        if (!take(size, start)) return false;
        value = std::string_view(reinterpret_cast<const char*>(start), size);
        return true;
    }

    // The bytes of a bin.
    bool binary(const std::uint8_t*& start, std::uint64_t& size) {
        std::uint8_t tag;
        return byte(tag) && tag >= 0xc4 && tag <= 0xc6 && number(std::size_t{1} << (tag - 0xc4), size) && take(size, start);
    }

    bool take(std::uint64_t size, const std::uint8_t*& start) {
        if (size > static_cast<std::uint64_t>(end_ - next_)) return false;
        start = next_;
        next_ += size;
        return true;
    }

  private:
    bool byte(std::uint8_t& value) {
        if (at_end()) return false;
        value = *next_++;
        return true;
    }

    // A big-endian number of 1, 2, 4 or 8 bytes.
    bool number(std::size_t width, std::uint64_t& value) {
        const std::uint8_t* start;
        if (!take(width, start)) return false;
        value = 0;
        for (std::size_t i = 0; i < width; ++i) value = value << 8 | start[i];
        return true;
    }

    // The header of an array or a map: `fixed` | count, or `wide` and `wide` + 1 with counts of 2 and 4 bytes.
    bool collection(std::uint8_t fixed, std::uint8_t wide, std::uint64_t& count) {
        std::uint8_t tag;
        if (!byte(tag)) return false;
        if ((tag & 0xf0) == fixed) {
            count = tag & 0x0fu;
            return true;
        }
        return (tag == wide && number(2, count)) || (tag == wide + 1 && number(4, count));
    }

    const std::uint8_t* next_;
    const std::uint8_t* end_;
};

}  // namespace bbipc::wire
