// Decoded keys, so that a server that sees one key again and again decodes and hashes it once (the hash is 39 of a
// verification's 531 permutations).
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "key.hpp"

BBIPC_BEGIN

// Bounded, least recently used goes first. Safe to use from any thread. Keys are found by all their bytes, never by a digest
// alone.
class KeyCache {
  public:
    static constexpr std::size_t capacity = 256;  // about 3 MB

    // Null and `error` if the bytes are no key. Bytes that only strict decoding refuses are looked at in each strict call.
    std::shared_ptr<const Key> decode(const std::uint8_t* bytes, std::size_t length, bool strict, FormatError& error);

  private:
    using Entry = std::pair<std::string, std::shared_ptr<const Key>>;

    std::mutex mutex_;
    // Most recently used first, and views into them: entries never move.
    std::list<Entry> entries_;
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

BBIPC_END
