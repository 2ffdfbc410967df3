// Batched affine addition: the sums of many pairs of points with one inversion (Montgomery's trick).
#pragma once

#include <cstdint>
#include <memory>

#include "../curve/curve.hpp"

BBIPC_BEGIN

// Names point index of a table, or its negative.
constexpr std::uint32_t point_code(std::size_t index, bool negative) { return static_cast<std::uint32_t>(index << 1) | (negative ? 1U : 0U); }

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
//   add_pairs         all pairs; none of the operands is infinite. The operands of a pair may be equal or opposite. No target is an operand
//                     of another pair; out may be the table. True if some sum is infinite.
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
    F denominators_[chunk];
    F products_[chunk];

    static Point operand(const Point* table, std::uint32_t code) {
        const Point& p = table[code >> 1];
        return (code & 1) != 0 ? -p : p;
    }

    bool add_chunk(const Point* table, const PairList& pairs, std::size_t first, std::size_t count, Point* out) {
        F product = F::one();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t a = pairs.a[first + i], b = pairs.b[first + i];
            F d = table[b >> 1].x - table[a >> 1].x;
            if (d.is_zero()) {  // doubling; or opposite points, whose (y + y') is zero: any non-zero denominator will do
                d = operand(table, a).y + operand(table, b).y;
                if (d.is_zero()) d = F::one();
            }
            denominators_[i] = d;
            products_[i] = product;
            product *= d;
        }
        F inverse = product.inverse();
        bool infinite = false;
        for (std::size_t i = count; i-- > 0;) {
            const Point p = operand(table, pairs.a[first + i]), q = operand(table, pairs.b[first + i]);
            const F denominator_inverse = inverse * products_[i];
            inverse *= denominators_[i];
            Point& r = out[pairs.target[first + i]];
            F slope;
            if (p.x != q.x) {
                slope = (q.y - p.y) * denominator_inverse;
            } else if (p.y == q.y) {
                const F xx = p.x.sqr();
                slope = (xx.dbl() + xx) * denominator_inverse;
            } else {
                r = Point::infinity();
                infinite = true;
                continue;
            }
            const F x = slope.sqr() - p.x - q.x;
            r = Point{x, slope * (p.x - x) - p.y};
        }
        return infinite;
    }
};

BBIPC_END
