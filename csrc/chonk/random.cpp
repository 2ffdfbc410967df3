#include "random.hpp"

#include <cerrno>
#include <stdexcept>
#include <sys/random.h>

BBIPC_BEGIN

void random_bytes(void* out, std::size_t size) {
    auto* position = static_cast<std::uint8_t*>(out);
    while (size > 0) {
        const ssize_t got = getrandom(position, size, 0);
        if (got > 0) {
            position += got;
            size -= static_cast<std::size_t>(got);
        } else if (errno != EINTR) {
            throw std::runtime_error("the operating system gives no random bytes");
        }
    }
}

BBIPC_END
