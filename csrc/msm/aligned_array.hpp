// Arrays of points on cache-line boundaries: a point of 64 bytes then costs one line to fetch, not two.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include "../config.hpp"

BBIPC_BEGIN

struct AlignedDelete {
    void operator()(void* memory) const { ::operator delete(memory, std::align_val_t{64}); }
};

template <class T>
using AlignedArray = std::unique_ptr<T[], AlignedDelete>;

// Uninitialized: pages that are never written are never mapped.
template <class T>
AlignedArray<T> aligned_array(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    return AlignedArray<T>(static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{64})));
}

BBIPC_END
