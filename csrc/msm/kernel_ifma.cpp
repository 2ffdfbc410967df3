#include "kernel_ifma.hpp"

#include "../field/ifma_field.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t lanes = ifma_lanes;
constexpr std::size_t chains = 2;          // independent products, to hide the latency of a multiplication
constexpr std::size_t chunk_groups = 512;  // groups of eight pairs that share an inversion

// Coordinates as they are stored, in four words of 64 bits, and what an IfmaVector holds.
template <class P>
using Coordinate = Normal<P, 300>;
template <class P>
using Stored = Normal<P, 600>;

template <class P, Bound bound>
    requires(bound <= Stored<P>::bound)
BBIPC_IFMA_INLINE void store(IfmaVector* to, const Normal<P, bound>& a) {
    store(to, a.v);
}

BBIPC_IFMA_INLINE const IfmaPoint* operand(const IfmaPoint* table, std::uint32_t code) { return table + (code >> 1); }

// The x coordinates of eight operands.
template <class P>
BBIPC_IFMA_INLINE void load_x(Coordinate<P>& x, const IfmaPoint* table, const std::uint32_t* codes) {
    __m512i r[4];  // two operands each
    for (int i = 0; i < 4; ++i) {
        const int first = (i & 1) + 4 * (i >> 1);  // 0, 1, 4, 5; and two further
        const __m256i low = _mm256_load_si256(reinterpret_cast<const __m256i*>(operand(table, codes[first])));
        r[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low),
                                  _mm256_load_si256(reinterpret_cast<const __m256i*>(operand(table, codes[first + 2]))), 1);
    }
    const __m512i even_low = _mm512_unpacklo_epi64(r[0], r[1]), even_high = _mm512_unpacklo_epi64(r[2], r[3]);
    const __m512i odd_low = _mm512_unpackhi_epi64(r[0], r[1]), odd_high = _mm512_unpackhi_epi64(r[2], r[3]);
    const __m512i w[4] = {_mm512_shuffle_i64x2(even_low, even_high, 0x88), _mm512_shuffle_i64x2(odd_low, odd_high, 0x88),
                          _mm512_shuffle_i64x2(even_low, even_high, 0xdd), _mm512_shuffle_i64x2(odd_low, odd_high, 0xdd)};
    split(x, w);
}

template <class P>
BBIPC_IFMA_INLINE void load_points(Coordinate<P>& x, Coordinate<P>& y, const IfmaPoint* table, const std::uint32_t* codes) {
    __m512i r[8];
    for (int i = 0; i < 8; ++i) r[i] = _mm512_load_si512(operand(table, codes[i]));
    transpose(r);
    split(x, r);
    split(y, r + 4);
}

template <class P, Bound x_bound, Bound y_bound>
    requires(x_bound <= Coordinate<P>::bound && y_bound <= Coordinate<P>::bound)
BBIPC_IFMA_INLINE void store_points(const Normal<P, x_bound>& x, const Normal<P, y_bound>& y, IfmaPoint* out,
                                    const std::uint32_t* targets) {
    __m512i r[8];
    join(r, x);
    join(r + 4, y);
    transpose(r);
    for (int i = 0; i < 8; ++i) _mm512_store_si512(out + targets[i], r[i]);
}

// The lanes whose code asks for the negative of its point.
BBIPC_IFMA_INLINE __mmask8 negative_lanes(const std::uint32_t* codes) {
    return _mm256_test_epi32_mask(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)), _mm256_set1_epi32(1));
}

BBIPC_IFMA_INLINE void prefetch(const IfmaPoint* table, const std::uint32_t* codes) {
    for (int i = 0; i < 8; ++i) _mm_prefetch(reinterpret_cast<const char*>(operand(table, codes[i])), _MM_HINT_T0);
}

// x_b - x_a of every pair, and the running products of each chain:
// products[g] = product of denominators[g - chains], [g - 2 chains], ...
template <class P>
BBIPC_IFMA void multiply_denominators(const IfmaPoint* table, const PairList& pairs, std::size_t groups,
                                      IfmaVector* denominators, IfmaVector* products) {
    constexpr std::size_t ahead = 4;
    Stored<P> one;
    broadcast(one, Modulus52<P>::one);
    for (std::size_t chain = 0; chain < chains; ++chain) store(&products[chain], one);
    for (std::size_t g = 0; g < groups; ++g) {
        if (g + ahead < groups) {
            prefetch(table, pairs.a + lanes * (g + ahead));
            prefetch(table, pairs.b + lanes * (g + ahead));
        }
        Coordinate<P> xa, xb;
        Lazy<P, 600, 1, 2> difference;
        Stored<P> denominator, product;
        Normal<P, 143> next;
        load_x(xa, table, pairs.a + lanes * g);
        load_x(xb, table, pairs.b + lanes * g);
        subtract(difference, xb, xa);
        normalize(denominator, difference);
        store(&denominators[g], denominator);
        load(product, &products[g]);
        multiply(next, product, denominator);
        store(&products[g + chains], next);
    }
}

// Puts one in place of the denominators of a group that are zero mod p, and returns their lanes. Denominators are normal, so the
// multiples of p can be told by their limbs.
template <class P>
BBIPC_IFMA unsigned replace_zeros(IfmaVector& denominators) {
    Stored<P> d, one;
    load(d, &denominators);
    broadcast(one, Modulus52<P>::one);
    unsigned zeros = 0;
    for (unsigned factor = 0; 100 * factor <= Stored<P>::bound; ++factor) {
        const Limbs52 multiple = Modulus52<P>::times(factor);
        __mmask8 equal = 0xff;
        for (int i = 0; i < 5; ++i) equal = _mm512_mask_cmpeq_epi64_mask(equal, d.v.l[i], broadcast(multiple.limb[i]));
        zeros |= equal;
    }
    for (int i = 0; i < 5; ++i) d.v.l[i] = _mm512_mask_mov_epi64(d.v.l[i], static_cast<__mmask8>(zeros), one.v.l[i]);
    store(&denominators, d);
    return zeros;
}

// The running products once more, after replace_zeros.
template <class P>
BBIPC_IFMA void multiply_again(std::size_t groups, const IfmaVector* denominators, IfmaVector* products) {
    for (std::size_t g = 0; g < groups; ++g) {
        Stored<P> product, denominator;
        Normal<P, 143> next;
        load(product, &products[g]);
        load(denominator, &denominators[g]);
        multiply(next, product, denominator);
        store(&products[g + chains], next);
    }
}

// The second half of Montgomery's trick: every denominator becomes its inverse. inverses[c] = 1 / the whole product of chain c.
template <class P>
BBIPC_IFMA void invert_denominators(std::size_t groups, IfmaVector* denominators, const IfmaVector* products,
                                    IfmaVector* inverses) {
    for (std::size_t g = groups; g-- > 0;) {
        Stored<P> inverse, product, denominator;
        Normal<P, 143> own, next;
        load(inverse, &inverses[g % chains]);
        load(product, &products[g]);
        load(denominator, &denominators[g]);
        multiply(own, inverse, product);
        multiply(next, inverse, denominator);
        store(&denominators[g], own);
        store(&inverses[g % chains], next);
    }
}

// The sums, for an even number of groups. The multiplications of one sum depend on each other, so two groups are taken side by
// side.
template <class P>
BBIPC_IFMA void finish_sums(const IfmaPoint* table, const PairList& pairs, std::size_t groups,
                            const IfmaVector* inverse_denominators, IfmaPoint* out) {
    constexpr std::size_t ahead = 2;
    for (std::size_t g = 0; g < groups; g += 2) {
        Coordinate<P> xa[2], xb[2];
        Lazy<P, 300, 1, 1> ya[2];
        Stored<P> rise[2];  // y_b - y_a
        Normal<P, 143> slope[2];
        Normal<P, 201> x[2];
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            const std::size_t first = lanes * (g + k);
            if (g + k + ahead < groups) {
                prefetch(table, pairs.a + first + lanes * ahead);
                prefetch(table, pairs.b + first + lanes * ahead);
            }
            Coordinate<P> a, b;
            Lazy<P, 300, 1, 1> yb;
            Lazy<P, 600, 2, 3> difference;
            load_points(xa[k], a, table, pairs.a + first);
            load_points(xb[k], b, table, pairs.b + first);
            negate_lanes(ya[k], a, negative_lanes(pairs.a + first));
            negate_lanes(yb, b, negative_lanes(pairs.b + first));
            subtract(difference, yb, ya[k]);
            normalize(rise[k], difference);
        }
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            Stored<P> inverse;
            load(inverse, &inverse_denominators[g + k]);
            multiply(slope[k], inverse, rise[k]);
        }
        // x = slope^2 - x_a - x_b
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            Normal<P, 103> squared;
            Lazy<P, 600, 0, 2> both;
            Lazy<P, 703, 2, 2> full;
            Lazy<P, 401, 3, 2> less;
            Lazy<P, 201, 4, 2> least;
            square(squared, slope[k]);
            add(both, xa[k], xb[k]);
            subtract(full, squared, both);
            subtract_if_not_below<4>(less, full);
            subtract_if_not_below<2>(least, less);
            normalize(x[k], least);
        }
        // y = slope (x_a - x) - y_a
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            Lazy<P, 600, 1, 2> difference;
            Normal<P, 600> run;  // x_a - x
            Normal<P, 111> product;
            Lazy<P, 411, 1, 3> full;
            Lazy<P, 211, 2, 3> least;
            Normal<P, 211> y;
            subtract(difference, xa[k], x[k]);
            normalize(run, difference);
            multiply(product, slope[k], run);
            subtract(full, product, ya[k]);
            subtract_if_not_below<2>(least, full);
            normalize(y, least);
            store_points(x[k], y, out, pairs.target + lanes * (g + k));
        }
    }
}

template <class P>
BBIPC_IFMA void multiply_vectors(IfmaVector& r, const IfmaVector& a, const IfmaVector& b) {
    Stored<P> x, y;
    Normal<P, 143> product;
    load(x, &a);
    load(y, &b);
    multiply(product, x, y);
    store(&r, product);
}

template <class P>
BBIPC_IFMA void load_eight_with_images(const void* points, const Limbs52& beta, IfmaPoint* out, IfmaPoint* images) {
    __m512i r[8];
    for (int i = 0; i < 8; ++i) r[i] = _mm512_loadu_si512(static_cast<const char*>(points) + 64 * i);
    transpose(r);
    Normal<P, 100> from_x, from_y, factor;
    Normal<P, 102> x, y, image;
    split(from_x, r);
    split(from_y, r + 4);
    broadcast(factor, beta);
    multiply(image, from_x, factor);
    broadcast(factor, Modulus52<P>::to_260);
    multiply(x, from_x, factor);
    multiply(y, from_y, factor);
    const std::uint32_t targets[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    store_points(x, y, out, targets);
    store_points(image, y, images, targets);
}

// From here on nothing needs more than the baseline.

// a below 4 p, reduced.
template <class P>
U256 reduced(U256 a) {
    for (U256 t; sub_borrow(t, a, P::modulus) == 0;) a = t;
    return a;
}

template <class P>
U256 lane_value(const IfmaVector& v, std::size_t lane) {
    U256 r;
    for (unsigned i = 0; i < 4; ++i) r.limb[i] = v.limb[i][lane] >> 12 * i | v.limb[i + 1][lane] << (52 - 12 * i);
    return reduced<P>(r);
}

// 1/16. Montgomery form changes radix: the integer a 2^260 is what Field<> takes for 16 a.
template <class P>
constexpr Field<P> sixteenth() {
    constexpr Field<P> value = [] {
        U256 half = P::modulus;  // (p + 1) / 2
        half = half.shifted_right(1);
        half.limb[0] += 1;  // no carry: see the assertion
        Field<P> r = Field<P>::one();
        for (int i = 0; i < 4; ++i) r *= Field<P>::from_int(half);
        return r;
    }();
    static_assert(value * Field<P>::from_u64(16) == Field<P>::one());
    return value;
}

template <class C>
IfmaPoint from_affine(const Affine<C>& p) {
    const auto sixteen = C::Base::from_u64(16);
    const U256 x = (p.x * sixteen).m, y = (p.y * sixteen).m;
    IfmaPoint r;
    for (unsigned i = 0; i < 4; ++i) {
        r.word[i] = x.limb[i];
        r.word[4 + i] = y.limb[i];
    }
    return r;
}

// inverses[c] = 1 / finals[c], the whole product of chain c (the number of groups is even); false if some factor is zero.
template <class P>
bool invert(const IfmaVector* finals, IfmaVector* inverses) {
    static_assert(chains == 2 && ifma_pair_granularity % (chains * lanes) == 0);
    using F = Field<P>;
    IfmaVector both;
    multiply_vectors<P>(both, finals[0], finals[1]);
    F values[lanes], before[lanes];  // values as Field<> sees them: 16 times too large
    F product = F::one();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        values[lane] = F::from_montgomery(lane_value<P>(both, lane));
        before[lane] = product;
        product *= values[lane];
    }
    if (product.is_zero()) return false;
    // A result 1/a 2^260 looks like 16 / a = 256 / (16 a).
    F inverse = product.inverse() * F::from_u64(256);
    for (std::size_t lane = lanes; lane-- > 0;) {
        const Limbs52 limbs = limbs_52((inverse * before[lane]).m);
        for (unsigned i = 0; i < 5; ++i) both.limb[i][lane] = limbs.limb[i];
        inverse *= values[lane];
    }
    multiply_vectors<P>(inverses[0], both, finals[1]);
    multiply_vectors<P>(inverses[1], both, finals[0]);
    return true;
}

// Sums that could not be had by a chord, and where they go.
template <class C>
struct ExactSums {
    std::vector<std::uint32_t> targets;
    std::vector<Jacobian<C>> sums;

    // Any two finite points.
    void add(const IfmaPoint* table, std::uint32_t a, std::uint32_t b, std::uint32_t target) {
        const auto signed_operand = [table](std::uint32_t code) {
            const Affine<C> p = IfmaKernel<C>::to_affine(table[code >> 1]);
            return (code & 1) != 0 ? -p : p;
        };
        targets.push_back(target);
        sums.push_back(Jacobian<C>::from_affine(signed_operand(a)) + signed_operand(b));
    }

    // True if some sum is infinite. One inversion for all: an adversary may choose points that coincide again and again.
    bool write(IfmaPoint* out) const {
        std::vector<typename C::Base> z;
        for (const Jacobian<C>& sum : sums) z.push_back(sum.is_infinity() ? C::Base::one() : sum.z);
        [[maybe_unused]] const bool invertible = batch_invert(std::span(z));  // no z is zero
        bool infinite = false;
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const auto zz = z[i].sqr();
            infinite |= sums[i].is_infinity();
            out[targets[i]] = sums[i].is_infinity() ? IfmaKernel<C>::infinity()
                                                    : from_affine(Affine<C>{sums[i].x * zz, sums[i].y * zz * z[i]});
        }
        return infinite;
    }
};

// Equal and opposite operands have no slope of a chord. They come one by one, and what their lanes then compute is overwritten.
template <class C>
ExactSums<C> take_out_coincidences(const IfmaPoint* table, const PairList& pairs, std::size_t groups,
                                   IfmaVector* denominators) {
    ExactSums<C> exact;
    for (std::size_t g = 0; g < groups; ++g) {
        for (unsigned zeros = replace_zeros<typename C::Base::Params>(denominators[g]); zeros != 0; zeros &= zeros - 1) {
            const std::size_t i = lanes * g + static_cast<unsigned>(__builtin_ctz(zeros));
            if (i < pairs.count) exact.add(table, pairs.a[i], pairs.b[i], pairs.target[i]);
        }
    }
    return exact;
}

}  // namespace

template <class C>
IfmaKernel<C>::IfmaKernel()
    : denominators_(aligned_array<IfmaVector>(chunk_groups)), products_(aligned_array<IfmaVector>(chunk_groups + chains)) {}

template <class C>
Affine<C> IfmaKernel<C>::to_affine(const Point& p) {
    const U256 x{{p.word[0], p.word[1], p.word[2], p.word[3]}}, y{{p.word[4], p.word[5], p.word[6], p.word[7]}};
    return Affine<C>{F::from_montgomery(reduced<P>(x)) * sixteenth<P>(), F::from_montgomery(reduced<P>(y)) * sixteenth<P>()};
}

template <class C>
IfmaPoint IfmaKernel<C>::negate(const Point& p) {
    IfmaPoint r = p;
    const U256 y = (-F::from_montgomery(reduced<P>(U256{{p.word[4], p.word[5], p.word[6], p.word[7]}}))).m;
    for (unsigned i = 0; i < 4; ++i) r.word[4 + i] = y.limb[i];
    return r;
}

template <class C>
void IfmaKernel<C>::load_with_images(const Affine<C>* points, std::size_t count, const F& beta, Point* out, Point* images) {
    const Limbs52 beta_to_260 = limbs_52((beta * power_of_two<P>(264)).to_int());
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) load_eight_with_images<P>(points + i, beta_to_260, out + i, images + i);
    for (; i < count; ++i) {
        out[i] = from_affine(points[i]);
        images[i] = from_affine(Affine<C>{points[i].x * beta, points[i].y});
    }
}

template <class C>
bool IfmaKernel<C>::add_pairs(const Point* table, const PairList& pairs, Point* out) {
    bool infinite = false;
    for (std::size_t first = 0; first < pairs.count; first += lanes * chunk_groups) {
        const PairList part{pairs.a + first, pairs.b + first, pairs.target + first,
                            std::min(lanes * chunk_groups, pairs.count - first)};
        infinite |= add_chunk(table, part, out);
    }
    return infinite;
}

template <class C>
bool IfmaKernel<C>::add_chunk(const Point* table, const PairList& pairs, Point* out) {
    const std::size_t groups = (pairs.count + pair_granularity - 1) / pair_granularity * (pair_granularity / lanes);
    multiply_denominators<P>(table, pairs, groups, denominators_.get(), products_.get());
    ExactSums<C> exact;
    IfmaVector inverses[chains];
    if (!invert<P>(&products_[groups], inverses)) {
        exact = take_out_coincidences<C>(table, pairs, groups, denominators_.get());
        multiply_again<P>(groups, denominators_.get(), products_.get());
        [[maybe_unused]] const bool invertible = invert<P>(&products_[groups], inverses);  // now no factor is zero
    }
    invert_denominators<P>(groups, denominators_.get(), products_.get(), inverses);
    finish_sums<P>(table, pairs, groups, denominators_.get(), out);
    return exact.write(out);
}

template class IfmaKernel<G1Curve>;
template class IfmaKernel<GrumpkinCurve>;

BBIPC_END
