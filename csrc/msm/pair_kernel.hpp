// Batched affine addition: the sums of many pairs of points with one inversion (Montgomery's trick).
#pragma once

#include <cstdint>
#include <memory>

#include "../curve/curve.hpp"

BBIPC_BEGIN

// Names point index of a table, or its negative.
constexpr std::uint32_t point_code(std::size_t index, bool negative) {
    return static_cast<std::uint32_t>(index << 1) | (negative ? 1U : 0U);
}

// Pairs to be added: out[target[i]] = table[a[i]] + table[b[i]], where a and b hold point codes.
struct PairList {
    const std::uint32_t* a;
    const std::uint32_t* b;
    const std::uint32_t* target;
    std::size_t count;
};

// The kernel on the field multiplication of this namespace, for either curve.
//
// What a kernel offers (see also IfmaKernel):
//   Point, Curve      a point as the kernel stores it, 64 bytes; all zero for infinity
//   to_affine, infinity, is_infinity, negate, load_with_images
//   add_pairs         all pairs; none of the operands is infinite. The operands of a pair may be equal or opposite. No target
//                     is an operand of another pair; out may be the table. True if some sum is infinite.
template <class C>
class ScalarKernel {
    using F = typename C::Base;

  public:
    using Curve = C;
    using Point = Affine<C>;
    static constexpr std::size_t pair_granularity = 1;

    static Affine<C> to_affine(const Point& p) { return p; }
    static Point infinity() { return Point::infinity(); }
    static bool is_infinity(const Point& p) { return p.is_infinity(); }
    static Point negate(const Point& p) { return -p; }
    // out[i] = points[i] and images[i] = its image under the endomorphism, for finite points
    static void load_with_images(const Affine<C>* points, std::size_t count, const F& beta, Point* out, Point* images) {
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = points[i];
            images[i] = Point{points[i].x * beta, points[i].y};
        }
    }

    bool add_pairs(const Point* table, const PairList& pairs, Point* out) {
        bool infinite = false;
        for (std::size_t first = 0; first < pairs.count; first += chunk) {
            infinite |= add_chunk(table, pairs, first, std::min(chunk, pairs.count - first), out);
        }
        return infinite;
    }

  private:
    static constexpr std::size_t chunk = 512;
    static constexpr std::size_t chains = 2;  // independent products, to hide the latency of a multiplication
    static constexpr std::size_t ahead = 8;   // pairs to prefetch
    static constexpr std::size_t block = 8;
    F denominators_[chunk];
    F slope_[block], xa_[block], xb_[block], ya_[block], x_[block];  // of a block, see finish_block
    bool opposite_[block];
    F products_[chunk + chains];  // products_[i] = product of denominators_[i - chains], [i - 2 chains], ...

    // The sign is as good as random: no branch on it.
    static F signed_y(const Point* table, std::uint32_t code) {
        const F& y = table[code >> 1].y;
        const F negative = -y;
        const u64 mask = u64{0} - (code & 1);
        F r;
        for (unsigned i = 0; i < 4; ++i) r.m.limb[i] = y.m.limb[i] ^ ((y.m.limb[i] ^ negative.m.limb[i]) & mask);
        return r;
    }

    static void prefetch(const Point* table, const PairList& pairs, std::size_t i) {
        __builtin_prefetch(&table[pairs.a[i] >> 1]);
        __builtin_prefetch(&table[pairs.b[i] >> 1]);
    }

    bool add_chunk(const Point* table, const PairList& pairs, std::size_t first, std::size_t count, Point* out) {
        for (std::size_t i = 0; i < chains; ++i) products_[i] = F::one();
        for (std::size_t i = 0; i < count; ++i) {
            if (i + ahead < count) prefetch(table, pairs, first + i + ahead);
            const std::uint32_t a = pairs.a[first + i], b = pairs.b[first + i];
            F d = table[b >> 1].x - table[a >> 1].x;
            if (d.is_zero()) {  // doubling; or opposite points, whose (y + y') is zero: any non-zero denominator will do
                d = signed_y(table, a) + signed_y(table, b);
                if (d.is_zero()) d = F::one();
            }
            denominators_[i] = d;
            products_[i + chains] = products_[i] * d;
        }
        invert_denominators(count);
        bool infinite = false;
        for (std::size_t i = 0; i < count; i += block) {
            infinite |= finish_block(table, pairs, first + i, &denominators_[i], std::min(block, count - i), out);
        }
        return infinite;
    }

    void invert_denominators(std::size_t count) {
        static_assert(chains == 2);
        const F& even = products_[count + count % 2];
        const F& odd = products_[count + 1 - count % 2];
        const F inverse = (even * odd).inverse();
        F inverses[chains] = {inverse * odd, inverse * even};  // of the whole product of each chain
        for (std::size_t i = count; i-- > 0;) {
            const F denominator = denominators_[i];
            denominators_[i] = inverses[i % chains] * products_[i];
            inverses[i % chains] *= denominator;
        }
    }

    // The sums of a few pairs, step by step side by side: the multiplications of one sum depend on each other.
    bool finish_block(const Point* table, const PairList& pairs, std::size_t first, const F* inverse_denominators,
                      std::size_t count, Point* out) {
        bool infinite = false;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t a = pairs.a[first + i], b = pairs.b[first + i];
            xa_[i] = table[a >> 1].x;
            xb_[i] = table[b >> 1].x;
            ya_[i] = signed_y(table, a);
            const F yb = signed_y(table, b);
            F numerator = yb - ya_[i];
            opposite_[i] = false;
            if (xa_[i] == xb_[i]) {
                opposite_[i] = ya_[i] != yb;
                infinite |= opposite_[i];
                const F xx = xa_[i].sqr();
                numerator = xx.dbl() + xx;
            }
            slope_[i] = numerator * inverse_denominators[i];
        }
        for (std::size_t i = 0; i < count; ++i) x_[i] = slope_[i].sqr() - xa_[i] - xb_[i];
        for (std::size_t i = 0; i < count; ++i) {
            const Point sum{x_[i], slope_[i] * (xa_[i] - x_[i]) - ya_[i]};
            out[pairs.target[first + i]] = opposite_[i] ? Point::infinity() : sum;
        }
        return infinite;
    }
};

BBIPC_END
