// libFuzzer: the primitive operations on arbitrary bytes. Every arithmetic path gives the same results, and results have the
// properties that define them.
//
// Input: one byte that chooses the operation, then its operands.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "bbipc_core.h"

namespace {

using Word = std::array<uint8_t, 32>;
using Point = std::array<uint8_t, 64>;

void demand(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

struct Free {
    void operator()(bbipc_core* core) const { bbipc_core_free(core); }
};
using Core = std::unique_ptr<bbipc_core, Free>;

const std::vector<Core>& cores() {
    static const auto all = [] {
        std::vector<Core> result;
        for (const int32_t arith : {BBIPC_ARITH_PORTABLE, BBIPC_ARITH_ADX, BBIPC_ARITH_IFMA}) {
            if (bbipc_arith_supported(arith) == 1) result.emplace_back(bbipc_core_new(nullptr, nullptr, arith, nullptr));
        }
        return result;
    }();
    return all;
}

// Bytes of the input; zeros behind its end.
class Input {
  public:
    Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
    uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
    template <class T>
    T take() {
        T value;
        for (uint8_t& b : value) b = byte();
        return value;
    }

  private:
    const uint8_t* data_;
    size_t size_, at_ = 0;
};

// Runs `operation` on every path; the code and the output must not depend on it.
template <class T, class F>
int32_t on_every_path(T& out, F operation) {
    out.fill(0);
    const int32_t code = operation(cores()[0].get(), out.data());
    for (size_t i = 1; i < cores().size(); ++i) {
        T again{};
        demand(operation(cores()[i].get(), again.data()) == code && again == out, "the arithmetic paths agree");
    }
    return code;
}

Word field(int32_t which, int32_t operation, const Word& a, const Word& b, int32_t& code) {
    Word out;
    code = on_every_path(
        out, [&](const bbipc_core* core, uint8_t* o) { return bbipc_field_op(core, which, operation, a.data(), b.data(), o); });
    return out;
}

void fields(Input& in, int32_t which) {
    const int32_t operation = in.byte() % 7;
    const Word a = in.take<Word>(), b = in.take<Word>();
    int32_t code, ignored;
    const Word c = field(which, operation, a, b, code);
    if (code != BBIPC_OK) return;
    Word one{};
    one[31] = 1;
    switch (operation) {
        case BBIPC_ADD: demand(field(which, BBIPC_SUB, c, b, ignored) == a, "(a + b) - b = a"); break;
        case BBIPC_SUB: demand(field(which, BBIPC_ADD, c, b, ignored) == a, "(a - b) + b = a"); break;
        case BBIPC_MUL: demand(field(which, BBIPC_MUL, b, a, ignored) == c, "a b = b a"); break;
        case BBIPC_SQR: demand(field(which, BBIPC_MUL, a, a, ignored) == c, "a^2 = a a"); break;
        case BBIPC_NEG: demand(field(which, BBIPC_ADD, a, c, ignored) == Word{}, "a + (-a) = 0"); break;
        case BBIPC_INV: demand(field(which, BBIPC_MUL, a, c, ignored) == one, "a / a = 1"); break;
        default: demand(field(which, BBIPC_SQR, c, c, ignored) == a, "sqrt(a)^2 = a"); break;
    }
}

void reductions(Input& in, int32_t which) {
    const auto wide = in.take<Point>();
    Word out;
    on_every_path(out, [&](const bbipc_core* core, uint8_t* o) { return bbipc_field_reduce512(core, which, wide.data(), o); });
    int32_t code;
    field(which, BBIPC_ADD, out, Word{}, code);
    demand(code == BBIPC_OK, "a reduced value is canonical");
}

Point multiple(int32_t curve, const Point& point, const Word& scalar, int32_t& code) {
    Point out;
    code = on_every_path(
        out, [&](const bbipc_core* core, uint8_t* o) { return bbipc_point_mul(core, curve, point.data(), scalar.data(), o); });
    return out;
}

Point sum(int32_t curve, const Point& a, const Point& b, int32_t& code) {
    Point out;
    code = on_every_path(
        out, [&](const bbipc_core* core, uint8_t* o) { return bbipc_point_add(core, curve, a.data(), b.data(), o); });
    return out;
}

// A point of the curve that the input chooses, or any bytes.
Point a_point(Input& in, int32_t curve) {
    const uint8_t choice = in.byte();
    if (choice == 0) return in.take<Point>();
    if (choice == 1) return Point{};
    Point generator{};
    if (curve == BBIPC_GRUMPKIN) {
        demand(bbipc_generators(cores()[0].get(), choice, 1, generator.data()) == BBIPC_OK, "there is a generator");
    } else {
        generator[31] = 1;
        generator[63] = 2;
    }
    Word scalar{};
    scalar[30] = in.byte();
    scalar[31] = in.byte();
    int32_t code;
    return multiple(curve, generator, scalar, code);
}

void points(Input& in, int32_t curve) {
    const Point a = a_point(in, curve), b = a_point(in, curve);
    const Word s = in.take<Word>();
    int32_t code;
    const Point c = sum(curve, a, b, code);
    if (code != BBIPC_OK) return;
    demand(sum(curve, b, a, code) == c && code == BBIPC_OK, "A + B = B + A");
    int32_t code_a, code_b, code_c;
    const Point sa = multiple(curve, a, s, code_a), sb = multiple(curve, b, s, code_b), sc = multiple(curve, c, s, code_c);
    demand(code_a == code_b && code_a == code_c, "a scalar is good for all points or for none");
    if (code_a != BBIPC_OK) return;
    demand(sum(curve, sa, sb, code) == sc && code == BBIPC_OK, "s A + s B = s (A + B)");

    std::array<uint8_t, 128> both;
    std::memcpy(both.data(), a.data(), 64);
    std::memcpy(both.data() + 64, b.data(), 64);
    std::array<uint8_t, 64> scalars;
    std::memcpy(scalars.data(), s.data(), 32);
    std::memcpy(scalars.data() + 32, s.data(), 32);
    Point out;
    on_every_path(out, [&](const bbipc_core* core, uint8_t* o) {
        return bbipc_point_msm(core, curve, both.data(), scalars.data(), 2, o);
    });
    demand(out == sc, "the multi-scalar multiplication agrees");
    std::array<uint8_t, 128> batch;
    on_every_path(batch, [&](const bbipc_core* core, uint8_t* o) {
        return bbipc_point_batch_mul(core, curve, both.data(), s.data(), 2, o);
    });
    demand(std::memcmp(batch.data(), sa.data(), 64) == 0, "the batch agrees about the first point");
    demand(std::memcmp(batch.data() + 64, sb.data(), 64) == 0, "the batch agrees about the second point");
}

void generators(Input& in) {
    const size_t count = in.byte() % 40;
    std::vector<uint8_t> scalars(32 * count);
    for (size_t i = 0; i < scalars.size(); ++i) scalars[i] = i % 32 == 0 ? in.byte() & 0x1f : in.byte();
    std::vector<uint8_t> first(64 * count);
    if (count > 0) demand(bbipc_generators(cores()[0].get(), 0, count, first.data()) == BBIPC_OK, "there are generators");
    Point out, expected;
    const int32_t code = on_every_path(
        out, [&](const bbipc_core* core, uint8_t* o) { return bbipc_generators_msm(core, scalars.data(), count, 1, o); });
    on_every_path(expected, [&](const bbipc_core* core, uint8_t* o) {
        return bbipc_point_msm(core, BBIPC_GRUMPKIN, first.data(), scalars.data(), count, o);
    });
    demand(code == BBIPC_OK && out == expected, "both multiplications over generators agree");
}

void pairings(Input& in) {
    std::array<uint8_t, 128> g2 = in.take<std::array<uint8_t, 128>>(), product;
    const Word s = in.take<Word>();
    on_every_path(product, [&](const bbipc_core* core, uint8_t* o) { return bbipc_g2_mul(core, g2.data(), s.data(), o); });
    const Point p = a_point(in, BBIPC_G1);
    std::array<uint8_t, 384> value;
    on_every_path(value, [&](const bbipc_core* core, uint8_t* o) {
        int32_t is_one = 0;
        return bbipc_pairing(core, p.data(), g2.data(), 1, &is_one, o);
    });
}

void hashes(Input& in) {
    const size_t count = in.byte() % 10;
    std::vector<uint8_t> words(32 * count);
    for (uint8_t& b : words) b = in.byte();
    Word hash;
    on_every_path(hash, [&](const bbipc_core* core, uint8_t* o) { return bbipc_poseidon2_hash(core, words.data(), count, o); });
    const uint64_t counts[3] = {count / 2, 0, count - count / 2};
    std::array<uint8_t, 96> hashes_of_three;
    on_every_path(hashes_of_three, [&](const bbipc_core* core, uint8_t* o) {
        return bbipc_poseidon2_hash_many(core, words.data(), counts, 3, o);
    });
    const auto state = in.take<std::array<uint8_t, 128>>();
    std::array<uint8_t, 128> permuted;
    on_every_path(permuted, [&](const bbipc_core* core, uint8_t* o) { return bbipc_poseidon2_permute(core, state.data(), o); });
}

void splits(Input& in) {
    uint64_t total = 0, inputs = 0, count[5];
    for (int i = 0; i < 8; ++i) total = total << 8 | in.byte();
    for (int i = 0; i < 8; ++i) inputs = inputs << 8 | in.byte();
    bbipc_verdict verdict;
    if (bbipc_proof_split(total, inputs, count, &verdict) != BBIPC_OK) {
        demand(verdict.message[0] != 0, "an error has a message");
        return;
    }
    demand(count[0] + count[1] + count[2] + count[3] + count[4] == total, "the parts are the whole");
    demand(count[0] == inputs + 48, "the first part has the public inputs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input in(data, size);
    switch (in.byte() % 10) {
        case 0: fields(in, BBIPC_FR); break;
        case 1: fields(in, BBIPC_FQ); break;
        case 2: reductions(in, BBIPC_FR); break;
        case 3: reductions(in, BBIPC_FQ); break;
        case 4: points(in, BBIPC_G1); break;
        case 5: points(in, BBIPC_GRUMPKIN); break;
        case 6: generators(in); break;
        case 7: pairings(in); break;
        case 8: hashes(in); break;
        default: splits(in); break;
    }
    return 0;
}
