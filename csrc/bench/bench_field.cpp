// Nanoseconds of the field operations of one arithmetic path. Dependent: each operation takes the result of the one before;
// independent: eight chains side by side, as in batched code.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "../field/field.hpp"
#include "../field/sqrt.hpp"

namespace {

using namespace bbipc;

template <class Run>
double best_nanoseconds(unsigned operations, Run run) {
    double best = 1e30;
    for (int repetition = 0; repetition < 7; ++repetition) {
        const auto start = std::chrono::steady_clock::now();
        run();
        const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
        best = std::min(best, time.count() / operations);
    }
    return best;
}

template <class F>
void bench(const char* name) {
    constexpr unsigned operations = 400000;
    F x[8];
    for (unsigned i = 0; i < 8; ++i) x[i] = F::from_u64(0x123456789abcdef + i).sqr().sqr();
    const F y = x[1].inverse();
    const auto dependent = [&](auto step, unsigned count) {
        return best_nanoseconds(count, [&] {
            for (unsigned i = 0; i < count; ++i) x[0] = step(x[0]);
            __asm__ volatile("" : : "m"(x[0]) : "memory");
        });
    };
    const double independent = best_nanoseconds(operations, [&] {
        for (unsigned i = 0; i < operations / 8; ++i) {
            for (F& v : x) v *= y;
        }
        __asm__ volatile("" : : "m"(x) : "memory");
    });
    std::printf(
        "%s: multiply %.1f dependent, %.1f independent; square %.1f; add %.1f; subtract %.1f; invert %.0f; square root %.0f "
        "ns\n",
        name, dependent([&](const F& v) { return v * y; }, operations), independent,
        dependent([&](const F& v) { return v.sqr(); }, operations), dependent([&](const F& v) { return v + y; }, operations),
        dependent([&](const F& v) { return v - y; }, operations), dependent([&](const F& v) { return v.inverse(); }, 3000),
        dependent(
            [&](const F& v) {
                F r;
                return v.sqr().sqrt(r) ? r + y : v;
            },
            1000));
}

}  // namespace

int main() {
    bench<Fq>("Fq");
    bench<Fr>("Fr");
}
