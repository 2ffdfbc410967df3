#include "request.hpp"

#include <cstring>
#include <string_view>

#include "reader.hpp"

namespace bbipc::wire {
namespace {

enum class Kind : std::uint8_t { none, boolean, bytes, fr, fq, fr_vector, fr_state, g1_point, grumpkin_point };

struct Field {
    std::string_view name;
    Kind kind = Kind::none;
    std::size_t size = 0;  // of bytes; 0: any
};

struct Shape {
    std::string_view name;
    Field field[2];
};

// In the order of BBIPC_CHEAP_...
constexpr Shape shapes[BBIPC_CHEAP_COMMANDS] = {
    {"Poseidon2Hash", {{"inputs", Kind::fr_vector}, {}}},
    {"Poseidon2Permutation", {{"inputs", Kind::fr_state}, {}}},
    {"Blake2s", {{"data", Kind::bytes}, {}}},
    {"Blake2sToField", {{"data", Kind::bytes}, {}}},
    {"GrumpkinMul", {{"point", Kind::grumpkin_point}, {"scalar", Kind::fq}}},
    {"GrumpkinAdd", {{"point_a", Kind::grumpkin_point}, {"point_b", Kind::grumpkin_point}}},
    {"GrumpkinReduce512", {{"input", Kind::bytes, 64}, {}}},
    {"Bn254FrSqrt", {{"input", Kind::fr}, {}}},
    {"Bn254FqSqrt", {{"input", Kind::fq}, {}}},
    {"Bn254G1Mul", {{"point", Kind::g1_point}, {"scalar", Kind::fr}}},
    {"Bn254G1IsOnCurve", {{"point", Kind::g1_point}, {}}},
    {"Bn254G1FromCompressed", {{"compressed", Kind::bytes, 32}, {}}},
    {"SetMsmLegacy", {{"enabled", Kind::boolean}, {}}},
};

constexpr std::uint8_t fr_modulus[32] = {0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45,
                                         0xb6, 0x81, 0x81, 0x58, 0x5d, 0x28, 0x33, 0xe8, 0x48, 0x79, 0xb9,
                                         0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01};
constexpr std::uint8_t fq_modulus[32] = {0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45,
                                         0xb6, 0x81, 0x81, 0x58, 0x5d, 0x97, 0x81, 0x6a, 0x91, 0x68, 0x71,
                                         0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47};

bool below(const std::uint8_t* word, const std::uint8_t (&modulus)[32]) { return std::memcmp(word, modulus, 32) < 0; }

bool word(Reader& in, const std::uint8_t*& data) {
    std::uint64_t size;
    return in.binary(data, size) && size == 32;
}

// Appends elements to the words of a request.
class Fields {
  public:
    Fields(Reader& in, Request& request) : in_(in), next_(request.words) {}

    bool read(const Field& field, Value& value) {
        value.data = next_;
        value.size = 0;
        switch (field.kind) {
            case Kind::none: return false;
            case Kind::boolean: return in_.boolean(value.flag);
            case Kind::bytes: {
                std::uint64_t size;
                if (!in_.binary(value.data, size)) return false;
                value.size = size;
                return field.size == 0 || field.size == size;
            }
            case Kind::fr: return element(fr_modulus, value);
            case Kind::fq: return element(fq_modulus, value);
            case Kind::fr_vector:
            case Kind::fr_state: {
                std::uint64_t count;
                if (!in_.array(count) || (field.kind == Kind::fr_state && count != 4)) return false;
                for (; count != 0; --count) {
                    if (!element(fr_modulus, value)) return false;
                }
                return true;
            }
            case Kind::g1_point: return point(fq_modulus, value);
            case Kind::grumpkin_point: return point(fr_modulus, value);
        }
        return false;
    }

  private:
    // Every element takes 34 bytes of the payload or more, so that `words` has room.
    bool element(const std::uint8_t (&modulus)[32], Value& value) {
        const std::uint8_t* data;
        if (!word(in_, data) || !below(data, modulus)) return false;
        std::memcpy(next_, data, 32);
        next_ += 32;
        value.size += 32;
        return true;
    }

    // A map of x and y. Coordinates are canonical, except that all bytes 0xff are the point at infinity.
    bool point(const std::uint8_t (&modulus)[32], Value& value) {
        std::uint64_t count;
        if (!in_.map(count) || count != 2) return false;
        bool seen[2] = {false, false};
        for (int i = 0; i < 2; ++i) {
            std::string_view key;
            const std::uint8_t* data;
            if (!in_.text(key) || (key != "x" && key != "y") || !word(in_, data)) return false;
            const unsigned index = key == "y" ? 1 : 0;
            if (seen[index]) return false;
            seen[index] = true;
            std::memcpy(next_ + 32 * index, data, 32);
        }
        std::uint8_t all = 0xff;
        for (unsigned i = 0; i < 64; ++i) all &= next_[i];
        if (all != 0xff && (!below(next_, modulus) || !below(next_ + 32, modulus))) return false;
        next_ += 64;
        value.size = 64;
        return true;
    }

    Reader& in_;
    std::uint8_t* next_;
};

int find(std::string_view name) {
    for (int command = 0; command < BBIPC_CHEAP_COMMANDS; ++command) {
        if (name == shapes[command].name) return command;
    }
    return -1;
}

// Fields in any order, none twice, none else.
bool read_fields(Reader& in, const Shape& shape, Request& request) {
    const std::uint64_t expected = shape.field[1].kind == Kind::none ? 1 : 2;
    std::uint64_t count;
    if (!in.map(count) || count != expected) return false;
    Fields fields(in, request);
    bool seen[2] = {false, false};
    for (; count != 0; --count) {
        std::string_view key;
        if (!in.text(key)) return false;
        const unsigned index = key == shape.field[0].name ? 0 : 1;
        if (seen[index] || key != shape.field[index].name) return false;
        seen[index] = true;
        if (!fields.read(shape.field[index], request.value[index])) return false;
    }
    return true;
}

bool read_dialect(Reader& in, bool envelope, Request& request) {
    std::uint64_t count;
    request.id = 0;
    if (envelope) {
        const std::uint8_t* id;
        if (!in.take(8, id)) return false;
        for (unsigned i = 0; i < 8; ++i) request.id |= std::uint64_t{id[i]} << (8 * i);
        request.dialect = Request::Dialect::envelope;
        return in.array(count) && count == 1;
    }
    if (!in.array(count)) return false;
    if (count == 2 && !in.unsigned_int(request.id)) return false;
    request.dialect = request.id == 0 ? Request::Dialect::plain : Request::Dialect::tagged;  // an id of 0: none
    return count == 1 || count == 2;
}

}  // namespace

bool read_request(const std::uint8_t* payload, std::size_t size, bool envelope, Request& request) {
    if (size > max_payload) return false;
    Reader in(payload, size);
    std::uint64_t count;
    std::string_view name;
    if (!read_dialect(in, envelope, request) || !in.array(count) || count != 2 || !in.text(name)) return false;
    request.command = find(name);
    return request.command >= 0 && read_fields(in, shapes[request.command], request) && in.at_end();
}

}  // namespace bbipc::wire
