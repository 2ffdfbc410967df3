#include "memory.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace bbipc::shm {
namespace {

// Global state, since a signal handler has no other: the mappings that are to survive a SIGBUS, and what handled it before.
constexpr int slots = 256;

struct Slot {
    std::atomic<std::uintptr_t> start{0};  // 0: free
    std::atomic<std::size_t> size{0};
    std::atomic<bool> lost{false};
};

Slot table[slots];
std::mutex table_mutex;
bool handler_installed = false;
struct sigaction previous;

bool replace_lost(std::uintptr_t address) {
    for (Slot& slot : table) {
        const std::uintptr_t start = slot.start.load(std::memory_order_acquire);
        const std::size_t size = slot.size.load(std::memory_order_relaxed);
        if (start == 0 || address < start || address - start >= size) continue;
        void* const zeros = ::mmap(reinterpret_cast<void*>(start), size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (zeros == MAP_FAILED) return false;
        slot.lost.store(true, std::memory_order_release);
        return true;
    }
    return false;
}

void on_bus_error(int number, siginfo_t* info, void* context) {
    const int kept = errno;
    const bool ours = replace_lost(reinterpret_cast<std::uintptr_t>(info->si_addr));
    errno = kept;
    if (ours) return;
    if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(number);
    } else {
        ::signal(number, SIG_DFL);  // the access is made again, and ends the process as it would have without us
    }
}

// With the mutex held.
bool install_handler() {
    if (handler_installed) return true;
    struct sigaction action = {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    handler_installed = ::sigaction(SIGBUS, &action, &previous) == 0;
    return handler_installed;
}

int register_mapping(void* data, std::size_t size) {
    const std::lock_guard lock(table_mutex);
    if (!install_handler()) return -1;
    for (int i = 0; i < slots; ++i) {
        Slot& slot = table[i];
        if (slot.start.load(std::memory_order_relaxed) != 0) continue;
        slot.lost.store(false, std::memory_order_relaxed);
        slot.size.store(size, std::memory_order_relaxed);
        slot.start.store(reinterpret_cast<std::uintptr_t>(data), std::memory_order_release);
        return i;
    }
    return -1;
}

}  // namespace

SharedMemory::SharedMemory(int file, std::size_t size) : size_(size) {
    void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) return;
    slot_ = register_mapping(mapped, size);
    if (slot_ < 0) {
        ::munmap(mapped, size);
        errno = ENOMEM;
        return;
    }
    data_ = static_cast<std::uint8_t*>(mapped);
}

SharedMemory::~SharedMemory() {
    if (data_ == nullptr) return;
    table[slot_].start.store(0, std::memory_order_release);
    ::munmap(data_, size_);
}

bool SharedMemory::lost() const { return data_ != nullptr && table[slot_].lost.load(std::memory_order_acquire); }

}  // namespace bbipc::shm
