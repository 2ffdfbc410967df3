// Working memory of one large computation: a few arrays in one mapping, which goes back to the system with it.
//
// Megabytes that are fresh for each computation cost a page fault every 4 KiB, a sixth of a lone verification on a virtual
// machine. So the mapping asks for pages of 2 MiB, where the system has them to give (transparent huge pages), and is aligned to them. That is
// why it does not come from the allocator, which moreover would keep what it once had.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#if defined(__SANITIZE_ADDRESS__)
#define BBIPC_POISON_SCRATCH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BBIPC_POISON_SCRATCH 1
#endif
#endif
#ifdef BBIPC_POISON_SCRATCH
#include <sanitizer/asan_interface.h>
#endif

#include "../config.hpp"

BBIPC_BEGIN

class Scratch {
    static constexpr std::size_t line = 64, page = std::size_t{1} << 21;

    // The last page is a large one, too, if at least half of it is used.
    static constexpr std::size_t whole_pages(std::size_t bytes) {
        constexpr std::size_t small_page = 4096;
        const std::size_t unit = bytes % page >= page / 2 ? page : small_page;
        return (bytes + unit - 1) / unit * unit;
    }

  public:
    // What take<T>(count) uses: whole cache lines, and one that AddressSanitizer guards.
    template <class T>
    static constexpr std::size_t size(std::size_t count) {
        return (count * sizeof(T) + line - 1) / line * line + line;
    }

    // For arrays of this size together. Throws std::bad_alloc.
    explicit Scratch(std::size_t bytes) : size_(whole_pages(bytes)) {
        // Mapped with a page to spare; what lies before and after the aligned part is given back at once.
        void* const mapped = ::mmap(nullptr, size_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) throw std::bad_alloc();
        const std::size_t before = -reinterpret_cast<std::uintptr_t>(mapped) % page;
        memory_ = static_cast<std::byte*>(mapped) + before;
        if (before != 0) ::munmap(mapped, before);
        if (before != page) ::munmap(memory_ + size_, page - before);
#ifdef MADV_HUGEPAGE
        ::madvise(memory_, size_, MADV_HUGEPAGE);  // advice: without it all is the same, but slower
#endif
        poison(memory_, size_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        unpoison(memory_, size_);
        ::munmap(memory_, size_);
    }

    // The next array: zeros, on a cache line of its own.
    template <class T>
    T* take(std::size_t count) {
        static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> && alignof(T) <= line);
        if (size<T>(count) > size_ - used_) throw std::bad_alloc();  // the sizes were not added up
        T* const array = reinterpret_cast<T*>(memory_ + used_);
        unpoison(array, count * sizeof(T));
        used_ += size<T>(count);
        return array;
    }

  private:
    std::size_t size_, used_ = 0;
    std::byte* memory_;

    static void poison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) {
#ifdef BBIPC_POISON_SCRATCH
        ASAN_POISON_MEMORY_REGION(from, bytes);
#endif
    }
    static void unpoison([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) {
#ifdef BBIPC_POISON_SCRATCH
        ASAN_UNPOISON_MEMORY_REGION(from, bytes);
#endif
    }
};

BBIPC_END
