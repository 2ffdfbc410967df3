#include "key_cache.hpp"

BBIPC_BEGIN

std::shared_ptr<const Key> KeyCache::decode(const std::uint8_t* bytes, std::size_t length, bool strict, FormatError& error) {
    if (strict && !key_is_canonical(bytes, length, error)) return nullptr;
    const std::string_view wanted(reinterpret_cast<const char*>(bytes), length);
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = index_.find(wanted); found != index_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return entries_.front().second;
        }
    }
    const auto key = std::make_shared<Key>();
    if (!decode_key(bytes, length, *key, error)) return nullptr;

    const std::lock_guard lock(mutex_);
    if (index_.contains(wanted)) return key;  // another thread was faster
    entries_.emplace_front(std::string(wanted), key);
    index_.emplace(entries_.front().first, entries_.begin());
    if (entries_.size() > capacity) {
        index_.erase(entries_.back().first);
        entries_.pop_back();
    }
    return key;
}

BBIPC_END
