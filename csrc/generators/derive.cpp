// Build-time tool: derives the 2^15 Grumpkin generators of the inner-product argument (chapter 01 section 6), checks their
// published SHA-256 and writes them as the core wants them in memory: x then y in Montgomery form, 4 little-endian limbs each,
// 64 bytes a point.
//
// usage: derive OUTPUT      exit status 0 only if the hash is right and the file is complete
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "../field/field.hpp"
#include "../field/sqrt.hpp"
#include "../hash/sha256.hpp"

namespace {

using namespace bbipc;

constexpr std::size_t generator_count = std::size_t{1} << 15;
constexpr char seed[] = "BARRETENBERG_GRUMPKIN_IPA_CRS";
constexpr char published_hash[] = "72b8cdad9da82b666987e5fe6f5a0804e3a9b5ba750aa5d451b514442fe157b2";

struct Point {
    Fr x, y;
};
static_assert(sizeof(Point) == 64);

// The 256-bit integer of an attempt: the digest's FIRST eight bytes are the LOWEST limb.
U256 attempt_integer(std::uint64_t index, std::uint64_t attempt) {
    std::uint8_t message[sizeof(seed) - 1 + 16];
    std::memcpy(message, seed, sizeof(seed) - 1);
    for (unsigned i = 0; i < 8; ++i) {
        message[sizeof(seed) - 1 + i] = static_cast<std::uint8_t>(index >> (56 - 8 * i));
        message[sizeof(seed) - 1 + 8 + i] = static_cast<std::uint8_t>(attempt >> (56 - 8 * i));
    }
    Sha256 sha;
    sha.update(message, sizeof(message));
    const auto digest = sha.digest();
    U256 v;
    for (unsigned i = 0; i < 32; ++i) v.limb[i / 8] = v.limb[i / 8] << 8 | digest[i];
    return v;
}

// Chapter 01 section 5. False if v is no compressed point.
bool decompress(U256 v, Point& out) {
    const bool odd = v.bit(255);
    v.limb[3] &= ~(u64{1} << 63);
    if (!(v < Fr::modulus)) return false;
    out.x = Fr::from_int(v);
    if (!(out.x.sqr() * out.x - Fr::from_u64(17)).sqrt(out.y)) return false;
    if (out.y.to_int().bit(0) != odd) out.y = -out.y;
    return true;
}

Point generator(std::uint64_t index) {
    Point point;
    for (std::uint64_t attempt = 0; !decompress(attempt_integer(index, attempt), point); ++attempt) {
    }
    return point;
}

std::array<char, 65> flat_file_hash(const std::vector<Point>& points) {
    Sha256 sha;
    for (const Point& point : points) {
        std::uint8_t flat[64];
        point.x.to_bytes(flat);
        point.y.to_bytes(flat + 32);
        sha.update(flat, sizeof(flat));
    }
    std::array<char, 65> hex{};
    const auto digest = sha.digest();
    for (unsigned i = 0; i < 32; ++i) std::snprintf(&hex[2 * i], 3, "%02x", digest[i]);
    return hex;
}

bool write_file(const char* path, const std::vector<Point>& points) {
    std::FILE* file = std::fopen(path, "wb");
    if (file == nullptr) return false;
    const bool written = std::fwrite(points.data(), sizeof(Point), points.size(), file) == points.size();
    return std::fclose(file) == 0 && written;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: derive OUTPUT\n");
        return 2;
    }
    std::vector<Point> points(generator_count);
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = generator(i);
    const auto hash = flat_file_hash(points);
    if (std::strcmp(hash.data(), published_hash) != 0) {
        std::fprintf(stderr, "derive: the generators hash to %s, not to the published %s\n", hash.data(), published_hash);
        return 1;
    }
    if (!write_file(argv[1], points)) {
        std::perror(argv[1]);
        return 1;
    }
    return 0;
}
