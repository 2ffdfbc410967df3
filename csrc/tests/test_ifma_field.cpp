// The arithmetic of AVX-512 IFMA: what its types refuse, that values stay within the bounds that they name, and the results
// against the field's own arithmetic.
#include "../field/lane_path.hpp"
#include "check.hpp"
#include "random_elements.hpp"

#if BBIPC_ADX_FIELD
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../field/ifma_field.hpp"

namespace {

using namespace bbipc;

// ---- What does not compile ----

template <Bound bound>
using R = Normal<FrParams, bound>;
template <Bound bound, unsigned minus, unsigned plus>
using L = Lazy<FrParams, bound, minus, plus>;

template <class Out, class A, class B>
concept Multiplies = requires(Out& r, const A& a, const B& b) { multiply(r, a, b); };
static_assert(Multiplies<R<102>, R<100>, R<100>> && Multiplies<R<143>, R<600>, R<600>> && Multiplies<R<102>, R<100>, Limbs52>);
static_assert(!Multiplies<R<101>, R<100>, R<100>> && !Multiplies<R<142>, R<600>, R<600>>);              // too large a result
static_assert(!Multiplies<R<102>, L<100, 0, 1>, R<100>> && !Multiplies<R<102>, R<100>, L<100, 0, 1>>);  // limbs not carried
static_assert(!Multiplies<R<102>, R<100>, Normal<FqParams, 100>>);                                      // another field
static_assert(!Multiplies<L<200, 0, 1>, R<100>, R<100>>);

template <class Out, class A>
concept Squares = requires(Out& r, const A& a) { square(r, a); };
static_assert(Squares<R<102>, R<100>> && !Squares<R<101>, R<100>> && !Squares<R<102>, L<100, 0, 1>>);

template <class Out, class A>
concept Normalizes = requires(Out& r, const A& a) { normalize(r, a); };
static_assert(Normalizes<R<600>, L<600, 2, 3>> && !Normalizes<R<599>, L<600, 2, 3>>);
static_assert(!Normalizes<R<600>, Lazy<FqParams, 600, 2, 3>>);

template <class Out, class A>
concept Widens = requires(Out& r, const A& a) { widen(r, a); };
static_assert(Widens<R<200>, R<100>> && Widens<L<100, 0, 1>, R<100>> && Widens<L<100, 1, 2>, L<100, 1, 1>>);
static_assert(!Widens<R<100>, R<200>> && !Widens<R<100>, L<100, 0, 2>> && !Widens<L<100, 0, 2>, L<100, 1, 1>>);

template <class Out, class A, class B>
concept Subtracts = requires(Out& r, const A& a, const B& b) { subtract(r, a, b); };
static_assert(Subtracts<L<600, 1, 2>, R<300>, R<300>> && Subtracts<L<400, 1, 2>, R<100>, R<201>>);
static_assert(!Subtracts<L<599, 1, 2>, R<300>, R<300>> && !Subtracts<L<600, 0, 2>, R<300>, R<300>>);
static_assert(!Subtracts<L<600, 1, 1>, R<300>, R<300>> && !Subtracts<R<600>, R<300>, R<300>>);

template <class Out, class A, class B>
concept Adds = requires(Out& r, const A& a, const B& b) { add(r, a, b); };
static_assert(Adds<L<300, 0, 2>, R<100>, R<200>> && Adds<L<200, 0, 2>, R<100>, Limbs52>);
static_assert(!Adds<L<299, 0, 2>, R<100>, R<200>> && !Adds<L<300, 0, 1>, R<100>, R<200>> && !Adds<R<300>, R<100>, R<200>>);

template <class Out, class A, unsigned factor>
concept SubtractsMultiple = requires(Out& r, const A& a) { subtract_if_not_below<factor>(r, a); };
static_assert(SubtractsMultiple<L<401, 3, 2>, L<703, 2, 2>, 4> && !SubtractsMultiple<L<400, 3, 2>, L<703, 2, 2>, 4>);
static_assert(!SubtractsMultiple<L<401, 6, 2>, L<703, 5, 2>, 4> && !SubtractsMultiple<L<401, 3, 5>, L<703, 2, 5>, 4>);

template <class A>
concept Joins = requires(__m512i* words, const A& a) { join(words, a); };
static_assert(Joins<R<500>> && !Joins<R<501>> && !Joins<L<100, 0, 1>>);

// ---- Values ----

struct Value {
    u64 limb[5];
};

// floor(numerator bound p / 100 2^-32), for numerator <= 2^32.
template <class P>
Value share(Bound bound, u64 numerator) {
    Value r;
    u128 wide[6] = {}, rest = 0;
    for (unsigned i = 0; i < 5; ++i) {
        wide[i] += u128{P::modulus.bits(52 * i, 52)} * bound * numerator;
        wide[i + 1] = wide[i] >> 52;
        wide[i] &= mask_52;
    }
    for (int i = 5; i >= 0; --i) {
        rest = (rest << 52) + wide[i];
        wide[i] = rest / (u64{100} << 32);
        rest %= u64{100} << 32;
    }
    for (unsigned i = 0; i < 5; ++i) r.limb[i] = static_cast<u64>(wide[i]);
    return r;
}

bool not_above(const Value& a, const Value& b) {
    for (int i = 4; i >= 0; --i) {
        if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i];
    }
    return true;
}

template <class P>
Field<P> residue(const Value& a) {
    Field<P> r;
    for (int i = 4; i >= 0; --i) r = r * Field<P>::from_u64(u64{1} << 52) + Field<P>::from_u64(a.limb[i]);
    return r;
}

// Random values up to the bound, and the extreme ones: 0, the bound, multiples of p and their neighbours, full limbs.
template <class P>
std::vector<Value> values(Bound bound, RandomElements& random) {
    const Value most = share<P>(bound, u64{1} << 32);
    std::vector<Value> r{Value{}, most};
    for (unsigned factor = 0; 100 * factor <= bound; ++factor) {
        const Limbs52 multiple = Modulus52<P>::times(factor);
        for (const int step : {-1, 0, 1}) {
            Value near;
            std::copy(std::begin(multiple.limb), std::end(multiple.limb), near.limb);
            near.limb[0] += static_cast<u64>(step);  // no borrow: the lowest limb is neither 0 nor full, but for factor 0
            if (near.limb[0] <= mask_52 && not_above(near, most)) r.push_back(near);
        }
    }
    for (unsigned top = 0; top < 5; ++top) {  // full limbs below a limb that is one too small
        Value full = most;
        for (unsigned i = 0; i < top; ++i) full.limb[i] = mask_52;
        for (unsigned i = top; i < 5; ++i) full.limb[i] = i == top && full.limb[i] != 0 ? full.limb[i] - 1 : full.limb[i];
        if (not_above(full, most)) r.push_back(full);
    }
    for (int i = 0; i < 100; ++i) r.push_back(share<P>(bound, random.word() >> 32));
    return r;
}

struct alignas(64) Eight {
    u64 limb[5][8];

    Value lane(unsigned i) const { return {{limb[0][i], limb[1][i], limb[2][i], limb[3][i], limb[4][i]}}; }
};

template <class P, Bound bound>
BBIPC_IFMA_INLINE void read(Normal<P, bound>& r, const std::vector<Value>& from, RandomElements& random, Eight& copy) {
    for (unsigned lane = 0; lane < 8; ++lane) {
        const Value& value = from[random.word() % from.size()];
        for (unsigned i = 0; i < 5; ++i) copy.limb[i][lane] = value.limb[i];
    }
    load(r, &copy);
}

// All lanes are normal and within the bound of their type, and are what they should be.
template <class P, Bound bound, class Expected>
BBIPC_IFMA_INLINE void verify(const Normal<P, bound>& a, const Expected& expected) {
    Eight lanes;
    store(&lanes, a.v);
    const Value most = share<P>(bound, u64{1} << 32);
    for (unsigned lane = 0; lane < 8; ++lane) {
        const Value value = lanes.lane(lane);
        for (const u64 limb : value.limb) CHECK(limb <= mask_52);
        CHECK(not_above(value, most));
        CHECK(residue<P>(value) == expected(lane));
    }
}

constexpr int rounds = 300;

template <class P>
BBIPC_IFMA void test_products(RandomElements& random) {
    const Rule rule("01.1, products in lanes");
    using F = Field<P>;
    const F radix = power_of_two<P>(260);
    const auto wide = values<P>(600, random), wider = values<P>(2436, random), reduced = values<P>(100, random);
    for (int i = 0; i < rounds; ++i) {
        Eight x, y;
        Normal<P, 600> a, b;
        read(a, wide, random, x);
        read(b, wide, random, y);
        Normal<P, 143> product;
        multiply(product, a, b);
        verify(product, [&](unsigned l) { return residue<P>(x.lane(l)) * residue<P>(y.lane(l)) * radix.inverse(); });

        Normal<P, 2436> c;
        Normal<P, 807> squared;
        read(c, wider, random, x);
        square(squared, c);
        verify(squared, [&](unsigned l) { return residue<P>(x.lane(l)).sqr() * radix.inverse(); });

        const F constant = random.element<F>();
        Normal<P, 390> scaled;
        multiply(scaled, c, montgomery_260(constant));
        verify(scaled, [&](unsigned l) { return residue<P>(x.lane(l)) * constant; });

        Columns52<P, 128, 100, 100> columns;
        F sums[8] = {};
        clear(columns);
        for (int k = 0; k < 128; ++k) {
            Normal<P, 100> d, e;
            read(d, reduced, random, x);
            read(e, reduced, random, y);
            add_product(columns, d, e);
            for (unsigned l = 0; l < 8; ++l) sums[l] += residue<P>(x.lane(l)) * residue<P>(y.lane(l));
        }
        Normal<P, 253> sum;
        reduce(sum, columns);
        verify(sum, [&](unsigned l) { return sums[l] * radix.inverse(); });
    }
}

// The sums and differences of msm/kernel_ifma.cpp.
template <class P>
BBIPC_IFMA void test_differences(RandomElements& random) {
    const Rule rule("01.1, sums and differences in lanes");
    const auto coordinates = values<P>(300, random), squares = values<P>(103, random), products = values<P>(111, random);
    for (int i = 0; i < rounds; ++i) {
        Eight x, y, z;
        Normal<P, 300> a, b;
        Normal<P, 600> normal;
        read(a, coordinates, random, x);
        read(b, coordinates, random, y);
        Lazy<P, 600, 1, 2> difference;
        subtract(difference, a, b);
        normalize(normal, difference);
        verify(normal, [&](unsigned l) { return residue<P>(x.lane(l)) - residue<P>(y.lane(l)); });

        const auto lanes = static_cast<__mmask8>(random.word());
        const auto with_sign = [lanes](unsigned l, const auto& value) { return (lanes >> l & 1) != 0 ? -value : value; };
        Lazy<P, 300, 1, 1> signed_a, signed_b;
        Lazy<P, 600, 2, 3> signed_difference;
        negate_lanes(signed_a, a, lanes);
        negate_lanes(signed_b, b, static_cast<__mmask8>(~lanes));
        subtract(signed_difference, signed_a, signed_b);
        normalize(normal, signed_difference);
        verify(normal, [&](unsigned l) { return with_sign(l, residue<P>(x.lane(l)) + residue<P>(y.lane(l))); });

        Normal<P, 103> c;
        Lazy<P, 600, 0, 2> both;
        Lazy<P, 703, 2, 2> full;
        Lazy<P, 401, 3, 2> less;
        Lazy<P, 201, 4, 2> least;
        Normal<P, 201> small;
        read(c, squares, random, z);
        add(both, a, b);
        subtract(full, c, both);
        subtract_if_not_below<4>(less, full);
        subtract_if_not_below<2>(least, less);
        normalize(small, least);
        verify(small, [&](unsigned l) { return residue<P>(z.lane(l)) - residue<P>(x.lane(l)) - residue<P>(y.lane(l)); });

        Normal<P, 111> d;
        Lazy<P, 411, 1, 3> wide;
        Lazy<P, 211, 2, 3> narrow;
        Normal<P, 211> result;
        read(d, products, random, z);
        subtract(wide, d, signed_a);
        subtract_if_not_below<2>(narrow, wide);
        normalize(result, narrow);
        verify(result, [&](unsigned l) { return residue<P>(z.lane(l)) - with_sign(l, residue<P>(x.lane(l))); });
    }
}

template <class P>
BBIPC_IFMA void test_words(RandomElements& random) {
    const Rule rule("01.1, words in lanes");
    const auto all = values<P>(500, random);
    for (int i = 0; i < rounds; ++i) {
        Eight x;
        Normal<P, 500> a, b;
        __m512i words[4];
        read(a, all, random, x);
        join(words, a);
        split(b, words);
        verify(b, [&](unsigned l) { return residue<P>(x.lane(l)); });
    }
}

// Values beyond the bound of their type, or with limbs that are not normal, end the program where bounds are checked.
BBIPC_IFMA void exceed(Bound which) {
    Normal<FrParams, 600> a;
    for (int i = 0; i < 5; ++i)
        a.v.l[i] = broadcast(which == 0 && i == 1 ? mask_52 + 1 : Modulus52<FrParams>::times(5).limb[i]);
    Normal<FrParams, 400> b;
    if (which == 0) load(a, &a.v);
    if (which == 1) trust(b, a);
    if (which == 2) load(a, &a.v);  // within its bound
}

[[maybe_unused]] bool ends_at(Bound which) {
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_CORE, &none);
        exceed(which);
        ::_exit(0);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

void test_checks() {
#if defined(BBIPC_CHECK_BOUNDS)
    CHECK(ends_at(0) && ends_at(1) && !ends_at(2));
#endif
}

template <class P>
void test_field(u64 seed) {
    RandomElements random(seed);
    test_products<P>(random);
    test_differences<P>(random);
    test_words<P>(random);
}

}  // namespace
#endif

int main() {
    CHECK(true);  // what is above, the compiler has checked
#if BBIPC_ADX_FIELD
    if (bbipc::ifma_supported()) {
        test_field<bbipc::FrParams>(1);
        test_field<bbipc::FqParams>(2);
        test_checks();
    }
#endif
    return check_result();
}
