#include "random.hpp"

#include <cerrno>
#include <stdexcept>
#include <sys/random.h>

BBIPC_BEGIN

namespace {

class SystemRandom final : public RandomSource {
  public:
    std::ptrdiff_t read(void* out, std::size_t size) const override { return getrandom(out, size, 0); }
};

}  // namespace

const RandomSource& system_random() {
    static const SystemRandom source;
    return source;
}

void random_bytes(const RandomSource& source, void* out, std::size_t size) {
    auto* position = static_cast<std::uint8_t*>(out);
    while (size > 0) {
        const std::ptrdiff_t got = source.read(position, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || static_cast<std::size_t>(got) > size) {
            throw std::runtime_error("the operating system gives no random bytes");
        }
        position += got;
        size -= static_cast<std::size_t>(got);
    }
}

BBIPC_END
