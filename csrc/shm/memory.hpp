// Memory that a file in /dev/shm gives to two processes.
//
// Whoever may write to such a file may also cut it short, and then every access to the lost pages is a SIGBUS; so is a first
// write when /dev/shm is full. Neither may end this process: a handler puts zeros of our own in the place of the whole mapping
// and marks it as lost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bbipc::shm {

class SharedMemory {
  public:
    // Maps `size` bytes of the file; data() is null if that is not possible.
    SharedMemory(int file, std::size_t size);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    std::uint8_t* data() const { return data_; }

    // Whether the other side has taken pages of the file away. What was read meanwhile may be zeros.
    bool lost() const;

  private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_;
    int slot_ = -1;
};

}  // namespace bbipc::shm
