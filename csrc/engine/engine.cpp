#include "engine.hpp"

#include <algorithm>
#include <mutex>

#include "../chonk/keys/key_cache.hpp"
#include "../chonk/proof/compress.hpp"
#include "../chonk/verify/reduce.hpp"
#include "../chonk/verify/verify.hpp"
#include "../field/sqrt.hpp"
#include "../generators/generators.hpp"
#include "../generators/generators_msm.hpp"
#include "../hash/hash_chains.hpp"
#include "../hash/poseidon2.hpp"
#include "../hash/poseidon2_ifma.hpp"
#include "../msm/msm.hpp"
#include "../msm/parallel.hpp"
#include "../srs/reference_string.hpp"

BBIPC_BEGIN

namespace {

struct EngineClaim final : bbipc_claim {
    using bbipc_claim::bbipc_claim;
    Claim claim;
};

constexpr std::int32_t ok = BBIPC_OK;

// The result of reading or writing an encoding, which says nothing about a proof: the verdict has the reason of a failure, and
// is zeroed on success, which is not an acceptance.
std::int32_t encoding_status(const Unreadable& error, bbipc_verdict& verdict) {
    verdict = error ? Rejection::unreadable(*error).as_c() : bbipc_verdict{};
    return error ? BBIPC_BAD_ENCODING : BBIPC_OK;
}

template <class C>
struct PointCodec {
    using Base = typename C::Base;

    static std::int32_t read(const std::uint8_t* bytes, Affine<C>& point) {
        Affine<C> p;
        if (!Base::from_bytes(bytes, p.x) || !Base::from_bytes(bytes + 32, p.y)) return BBIPC_NOT_CANONICAL;
        if (!p.is_on_curve()) return BBIPC_NOT_ON_CURVE;
        point = p;
        return ok;
    }
    static void write(const Affine<C>& point, std::uint8_t* bytes) {
        point.x.to_bytes(bytes);
        point.y.to_bytes(bytes + 32);
    }
};

template <class C>
std::int32_t read_points(const std::uint8_t* bytes, std::uint64_t count, std::vector<Affine<C>>& points) {
    points.resize(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (const std::int32_t status = PointCodec<C>::read(bytes + 64 * i, points[i]); status != ok) return status;
    }
    return ok;
}

template <class F>
std::int32_t read_elements(const std::uint8_t* bytes, std::uint64_t count, std::vector<F>& elements) {
    elements.resize(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!F::from_bytes(bytes + 32 * i, elements[i])) return BBIPC_NOT_CANONICAL;
    }
    return ok;
}

// What `step` makes of the four lanes of a sponge; `in` and `out` may be the same.
template <class Step>
std::int32_t with_sponge(const std::uint8_t* in, std::uint8_t* out, const Step& step) {
    Fr state[4];
    for (std::size_t i = 0; i < 4; ++i) {
        if (!Fr::from_bytes(in + 32 * i, state[i])) return BBIPC_NOT_CANONICAL;
    }
    step(state);
    for (std::size_t i = 0; i < 4; ++i) state[i].to_bytes(out + 32 * i);
    return ok;
}

template <class F>
std::int32_t apply_field_op(std::int32_t op, const std::uint8_t* a_bytes, const std::uint8_t* b_bytes, std::uint8_t* out) {
    F a, b, result;
    const bool binary = op == BBIPC_ADD || op == BBIPC_SUB || op == BBIPC_MUL;
    if (binary && b_bytes == nullptr) return BBIPC_BAD_ARGUMENT;
    if (!F::from_bytes(a_bytes, a) || (binary && !F::from_bytes(b_bytes, b))) return BBIPC_NOT_CANONICAL;
    switch (op) {
        case BBIPC_ADD: result = a + b; break;
        case BBIPC_SUB: result = a - b; break;
        case BBIPC_MUL: result = a * b; break;
        case BBIPC_SQR: result = a.sqr(); break;
        case BBIPC_NEG: result = -a; break;
        case BBIPC_INV:
            if (a.is_zero()) return BBIPC_NO_RESULT;
            result = a.inverse();
            break;
        case BBIPC_SQRT:
            if (!a.sqrt(result)) return BBIPC_NO_RESULT;
            break;
        default: return BBIPC_BAD_ARGUMENT;
    }
    result.to_bytes(out);
    return ok;
}

template <class C>
std::int32_t multiply_points(const std::uint8_t* points_bytes, const std::uint8_t* scalar_bytes, std::uint64_t count,
                             std::uint8_t* out) {
    typename C::Scalar scalar;
    if (!C::Scalar::from_bytes(scalar_bytes, scalar)) return BBIPC_NOT_CANONICAL;
    std::vector<Affine<C>> points;
    if (const std::int32_t status = read_points<C>(points_bytes, count, points); status != ok) return status;
    for (std::uint64_t i = 0; i < count; ++i) PointCodec<C>::write(scalar_mul<C>(points[i], scalar).to_affine(), out + 64 * i);
    return ok;
}

class Engine final : public bbipc_core {
  public:
    Engine(Setup setup, LanePath lane_path) : setup_(std::move(setup)), lane_path_(lane_path) {}

    std::int32_t arith() const override {
        if (lane_path_ == LanePath::ifma) return BBIPC_ARITH_IFMA;
        return arithmetic_is_adx ? BBIPC_ARITH_ADX : BBIPC_ARITH_PORTABLE;
    }

    void verify(const bbipc_proof& proof, const std::uint8_t* key, std::uint64_t key_length, std::uint32_t flags,
                std::uint32_t threads, const std::int32_t* cancel, bbipc_verdict& verdict) const override {
        Claim claim;
        Claim* const claims[1] = {&claim};
        reduce_group({&proof, &key, &key_length, &cancel}, 1, flags, claims);
        const Claim* const reduced[1] = {&claim};
        decide(reduced, {}, options(threads, cancel), &verdict);
    }

    std::unique_ptr<bbipc_claim> reduce(const bbipc_proof& proof, const std::uint8_t* key, std::uint64_t key_length,
                                        std::uint32_t flags, const std::int32_t* cancel) const override {
        auto claim = std::make_unique<EngineClaim>(this);
        Claim* const claims[1] = {&claim->claim};
        reduce_group({&proof, &key, &key_length, &cancel}, 1, flags, claims);
        return claim;
    }

    void reduce_many(const bbipc_proof* proofs, const std::uint8_t* const* keys, const std::uint64_t* key_lengths,
                     std::uint64_t count, std::uint32_t flags, const std::int32_t* const* cancels,
                     std::unique_ptr<bbipc_claim>* results) const override {
        std::vector<Claim*> claims(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            auto claim = std::make_unique<EngineClaim>(this);
            claims[i] = &claim->claim;
            results[i] = std::move(claim);
        }
        const std::vector<const std::int32_t*> none(cancels == nullptr ? count : 0);
        const Inputs inputs{proofs, keys, key_lengths, cancels == nullptr ? none.data() : cancels};
        for (std::uint64_t first = 0; first < count; first += group_size) {
            const std::uint64_t size = std::min<std::uint64_t>(group_size, count - first);
            reduce_group(inputs.from(first), size, flags, std::span(claims).subspan(first, size));
        }
    }

    void check(const bbipc_claim* const* claims, std::uint64_t count, std::uint32_t threads, const std::int32_t* const* cancels,
               bbipc_verdict* verdicts) const override {
        std::vector<const Claim*> own(count);
        std::vector<CancelFlag> flags;
        for (std::uint64_t i = 0; i < count; ++i) {
            own[i] = &static_cast<const EngineClaim*>(claims[i])->claim;
            if (cancels != nullptr) flags.emplace_back(cancels[i]);
        }
        decide(own, flags, options(threads, nullptr), verdicts);
    }

    void verify_many(const bbipc_proof* proofs, const std::uint8_t* const* keys, const std::uint64_t* key_lengths,
                     std::uint64_t count, std::uint32_t flags, std::uint32_t threads, const std::int32_t* cancel,
                     bbipc_verdict* verdicts) const override {
        threads = std::max(threads, 1u);
        std::vector<Claim> claims(count);
        std::vector<Claim*> pointers(count);
        for (std::uint64_t i = 0; i < count; ++i) pointers[i] = &claims[i];
        const std::vector<const std::int32_t*> cancels(count, cancel);
        const Inputs inputs{proofs, keys, key_lengths, cancels.data()};
        // As many groups as there are threads, but not larger than the lanes.
        const std::uint64_t size = std::clamp<std::uint64_t>((count + threads - 1) / threads, 1, group_size);
        parallel_for((count + size - 1) / size, threads, [&](unsigned, std::size_t i) {
            const std::uint64_t first = i * size, own = std::min(size, count - first);
            reduce_group(inputs.from(first), own, flags, std::span(pointers).subspan(first, own));
        });
        decide(std::vector<const Claim*>(pointers.begin(), pointers.end()), {}, options(threads, cancel), verdicts);
    }

    std::int32_t key_inspect(const std::uint8_t* key, std::uint64_t key_length, std::uint64_t* words, std::uint8_t* hash,
                             bbipc_verdict& verdict) const override {
        FormatError error;
        const auto decoded = keys_.decode(key, key_length, false, error);
        if (!decoded) return encoding_status(error, verdict);
        words[0] = decoded->log_circuit_size;
        words[1] = decoded->num_public_inputs;
        words[2] = decoded->pub_inputs_offset;
        decoded->hash.to_bytes(hash);
        return encoding_status(std::nullopt, verdict);
    }

    std::int32_t proof_compress(const bbipc_proof& parts, std::uint8_t* out, std::uint64_t out_length,
                                bbipc_verdict& verdict) const override {
        Proof proof;
        FormatError error;
        if (!view_proof(parts, proof, error)) return encoding_status(error, verdict);
        return encoding_status(compress_proof(proof, out, out_length), verdict);
    }

    std::int32_t proof_decompress(const std::uint8_t* in, std::uint64_t in_length, std::uint8_t* out, std::uint64_t out_length,
                                  bbipc_verdict& verdict) const override {
        return encoding_status(decompress_proof(in, in_length, out, out_length), verdict);
    }

    std::int32_t field_op(std::int32_t field, std::int32_t op, const std::uint8_t* a, const std::uint8_t* b,
                          std::uint8_t* out) const override {
        if (field == BBIPC_FR) return apply_field_op<Fr>(op, a, b, out);
        if (field == BBIPC_FQ) return apply_field_op<Fq>(op, a, b, out);
        return BBIPC_BAD_ARGUMENT;
    }

    std::int32_t field_reduce512(std::int32_t field, const std::uint8_t* in, std::uint8_t* out) const override {
        const U256 high = load_be(in), low = load_be(in + 32);
        if (field != BBIPC_FR && field != BBIPC_FQ) return BBIPC_BAD_ARGUMENT;
        field == BBIPC_FR ? Fr::reduce_wide(high, low).to_bytes(out) : Fq::reduce_wide(high, low).to_bytes(out);
        return ok;
    }

    std::int32_t point_add(std::int32_t curve, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* out) const override {
        return on_curve(curve, [&]<class C>() {
            Affine<C> p, q;
            std::int32_t status = PointCodec<C>::read(a, p);
            if (status == ok) status = PointCodec<C>::read(b, q);
            if (status == ok) PointCodec<C>::write((Jacobian<C>::from_affine(p) + q).to_affine(), out);
            return status;
        });
    }

    std::int32_t point_mul(std::int32_t curve, const std::uint8_t* point, const std::uint8_t* scalar,
                           std::uint8_t* out) const override {
        return point_batch_mul(curve, point, scalar, 1, out);
    }

    std::int32_t point_msm(std::int32_t curve, const std::uint8_t* points_bytes, const std::uint8_t* scalars_bytes,
                           std::uint64_t count, std::uint8_t* out) const override {
        if (count > max_msm_points) return BBIPC_BAD_ARGUMENT;
        return on_curve(curve, [&]<class C>() {
            std::vector<Affine<C>> points;
            std::vector<typename C::Scalar> scalars;
            std::int32_t status = read_points<C>(points_bytes, count, points);
            if (status == ok) status = read_elements(scalars_bytes, count, scalars);
            if (status == ok) PointCodec<C>::write(msm<C>(points, scalars).to_affine(), out);
            return status;
        });
    }

    std::int32_t point_batch_mul(std::int32_t curve, const std::uint8_t* points, const std::uint8_t* scalar,
                                 std::uint64_t count, std::uint8_t* out) const override {
        return on_curve(curve, [&]<class C>() { return multiply_points<C>(points, scalar, count, out); });
    }

    std::int32_t generators_msm(const std::uint8_t* scalars_bytes, std::uint64_t count, std::uint32_t threads,
                                std::uint8_t* out) const override {
        if (count > ipa_size) return BBIPC_BAD_ARGUMENT;
        std::vector<Fq> scalars;
        if (const std::int32_t status = read_elements(scalars_bytes, count, scalars); status != ok) return status;
        const auto sum = bbipc::generators_msm(scalars.data(), count, std::max(threads, 1u), lane_path_);
        PointCodec<GrumpkinCurve>::write(sum.to_affine(), out);
        return ok;
    }

    std::int32_t generators(std::uint64_t first, std::uint64_t count, std::uint8_t* out) const override {
        if (first > ipa_size || count > ipa_size - first) return BBIPC_BAD_ARGUMENT;
        const auto table = bbipc::generators();
        for (std::uint64_t i = 0; i < count; ++i) PointCodec<GrumpkinCurve>::write(table[first + i], out + 64 * i);
        return ok;
    }

    std::int32_t g2_mul(const std::uint8_t* point, const std::uint8_t* scalar_bytes, std::uint8_t* out) const override {
        G2 p;
        Fr scalar;
        if (!Fr::from_bytes(scalar_bytes, scalar)) return BBIPC_NOT_CANONICAL;
        if (const std::int32_t status = g2_status(decode_g2(point, p)); status != ok) return status;
        encode_g2(multiply_g2(p, scalar.to_int()).to_affine(), out);
        return ok;
    }

    std::int32_t pairing(const std::uint8_t* g1, const std::uint8_t* g2, std::uint64_t count, std::int32_t* is_one,
                         std::uint8_t* gt) const override {
        std::vector<G2Prepared> prepared;
        std::vector<PairingInput> inputs;
        prepared.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            G1 p;
            G2 q;
            if (const std::int32_t status = PointCodec<G1Curve>::read(g1 + 64 * i, p); status != ok) return status;
            if (const std::int32_t status = g2_status(decode_g2(g2 + 128 * i, q)); status != ok) return status;
            prepared.emplace_back(q);
            inputs.emplace_back(p, &prepared.back());
        }
        const Fq12 product = pairing_product(inputs);
        *is_one = product.is_one() ? 1 : 0;
        if (gt != nullptr) product.to_bytes(gt);
        return ok;
    }

    std::int32_t g1_decompress(const std::uint8_t* words, std::uint64_t count, std::uint32_t threads, std::uint8_t* out,
                               std::uint64_t* failed) const override {
        *failed = bbipc::decompress_g1(words, count, std::max(threads, 1u), lane_path_, out);
        return *failed == count ? ok : BBIPC_NO_RESULT;
    }

    std::int32_t points_check(std::int32_t curve, const std::uint8_t* points, std::uint64_t count, std::uint32_t threads,
                              std::uint64_t* failed) const override {
        return on_curve(curve, [&]<class C>() {
            *failed = first_off_curve<C>(points, count, std::max(threads, 1u));
            return *failed == count ? ok : BBIPC_NOT_ON_CURVE;
        });
    }

    std::int32_t g1_combine_neighbours(const std::uint8_t* points, std::uint64_t count, std::uint32_t threads,
                                       std::uint8_t* later, std::uint8_t* earlier) const override {
        Jacobian<G1Curve> sums[2];
        const unsigned used = std::max(threads, 1u);
        if (!combine_neighbours(points, count, used, lane_path_, system_random(), sums[0], sums[1])) return BBIPC_NOT_ON_CURVE;
        PointCodec<G1Curve>::write(sums[0].to_affine(), later);
        PointCodec<G1Curve>::write(sums[1].to_affine(), earlier);
        return ok;
    }

    std::int32_t poseidon2_permute(const std::uint8_t* in, std::uint8_t* out) const override {
        return with_sponge(in, out, [](Fr(&state)[4]) { bbipc::poseidon2_permute(state); });
    }

    std::int32_t poseidon2_absorb(std::uint8_t* state, const std::uint8_t* words, std::uint64_t count) const override {
        std::vector<Fr> elements;
        if (const std::int32_t status = read_elements(words, count, elements); status != ok) return status;
        return with_sponge(state, state, [&](Fr(&sponge)[4]) { bbipc::poseidon2_absorb(sponge, elements); });
    }

    std::int32_t poseidon2_hash(const std::uint8_t* words, std::uint64_t count, std::uint8_t* out) const override {
        std::vector<Fr> elements;
        if (const std::int32_t status = read_elements(words, count, elements); status != ok) return status;
        bbipc::poseidon2_hash(elements).to_bytes(out);
        return ok;
    }

    std::int32_t poseidon2_hash_many(const std::uint8_t* words, const std::uint64_t* counts, std::uint64_t messages,
                                     std::uint8_t* out) const override {
        std::uint64_t total = 0;
        for (std::uint64_t i = 0; i < messages; ++i) total += counts[i];
        std::vector<Fr> elements, hashes(messages);
        if (const std::int32_t status = read_elements(words, total, elements); status != ok) return status;
        std::vector<std::span<const Fr>> views;
        std::span<const Fr> rest(elements);
        for (std::uint64_t i = 0; i < messages; ++i) {
            views.push_back(rest.first(counts[i]));
            rest = rest.subspan(counts[i]);
        }
        bbipc::poseidon2_hash_many(views, lane_path_, hashes);
        for (std::uint64_t i = 0; i < messages; ++i) hashes[i].to_bytes(out + 32 * i);
        return ok;
    }

  private:
    static constexpr std::uint64_t max_msm_points = 1 << 24;  // csrc/msm/msm.cpp counts additions in 32 bits
    static constexpr bool arithmetic_is_adx = BBIPC_ADX_FIELD != 0;

    // Proofs that are reduced side by side: as many as the transcript's hash has lanes.
    static constexpr std::uint64_t group_size = poseidon2_lanes;

    // Arrays of the C ABI, one entry for each proof.
    struct Inputs {
        const bbipc_proof* proofs;
        const std::uint8_t* const* keys;
        const std::uint64_t* key_lengths;
        const std::int32_t* const* cancels;

        Inputs from(std::uint64_t first) const { return {proofs + first, keys + first, key_lengths + first, cancels + first}; }
    };

    Options options(std::uint32_t threads, const std::int32_t* cancel) const {
        Options o;
        o.threads = std::max(threads, 1u);
        o.lane_path = lane_path_;
        o.cancel = CancelFlag(cancel);
        return o;
    }

    // Fills claims[0 .. count - 1]. A failure (for want of memory) is the verdict on what it befell, and thrown by none.
    void reduce_group(const Inputs& inputs, std::uint64_t count, std::uint32_t flags,
                      std::span<Claim* const> claims) const noexcept {
        const bool strict = (flags & BBIPC_STRICT) != 0;
        try {
            std::vector<std::shared_ptr<const Key>> keys;
            std::vector<Submission> submissions;
            std::vector<Claim*> submitted;
            for (std::uint64_t i = 0; i < count; ++i) {
                FormatError error;
                auto key = keys_.decode(inputs.keys[i], inputs.key_lengths[i], strict, error);
                if (!key) {
                    claims[i]->rest = Rejection::unreadable(error);
                    continue;
                }
                submissions.push_back({key.get(), &inputs.proofs[i], CancelFlag(inputs.cancels[i])});
                submitted.push_back(claims[i]);
                keys.push_back(std::move(key));
            }
            bbipc::reduce_many(setup_, submissions, strict, lane_path_, submitted);
        } catch (const std::exception& problem) {
            for (Claim* const claim : claims) {
                claim->pairing_count = 0;
                claim->rest = Rejection::failure(problem.what());
            }
        }
    }

    void decide(std::span<const Claim* const> claims, std::span<const CancelFlag> cancels, const Options& how,
                bbipc_verdict* verdicts) const {
        std::vector<Verdict> decided(claims.size());
        bbipc::check(setup_, claims, cancels, how, decided);
        for (std::size_t i = 0; i < claims.size(); ++i) verdicts[i] = decided[i].as_c();
    }

    template <class Action>
    static std::int32_t on_curve(std::int32_t curve, const Action& action) {
        if (curve == BBIPC_G1) return action.template operator()<G1Curve>();
        if (curve == BBIPC_GRUMPKIN) return action.template operator()<GrumpkinCurve>();
        return BBIPC_BAD_ARGUMENT;
    }

    static std::int32_t g2_status(G2Decoding decoding) {
        switch (decoding) {
            case G2Decoding::ok: return ok;
            case G2Decoding::not_canonical: return BBIPC_NOT_CANONICAL;
            case G2Decoding::not_on_curve:
            case G2Decoding::not_in_subgroup: break;
        }
        return BBIPC_NOT_ON_CURVE;
    }

    const Setup setup_;
    const LanePath lane_path_;
    mutable KeyCache keys_;
};

std::unique_ptr<bbipc_core> make_core(const std::uint8_t* g2_x, const std::uint8_t* translator_key, LanePath path,
                                      const char*& reason) {
    Setup setup = aztec_setup();
    if (g2_x != nullptr || translator_key != nullptr) {
        reason = g2_x == nullptr || translator_key == nullptr ? "a setup is both g2_x and translator_key"
                                                              : decode_setup(g2_x, translator_key, setup);
        if (reason != nullptr) return nullptr;
    }
    return std::make_unique<Engine>(std::move(setup), path);
}

}  // namespace

BBIPC_END

namespace bbipc {

#if BBIPC_ADX_FIELD

std::unique_ptr<bbipc_core> make_adx_core(const std::uint8_t* g2_x, const std::uint8_t* translator_key, bool use_ifma,
                                          const char*& reason) {
    return make_core(g2_x, translator_key, use_ifma ? LanePath::ifma : LanePath::scalar, reason);
}

bool adx_path_has_ifma() { return ifma_supported(); }

#else

std::unique_ptr<bbipc_core> make_portable_core(const std::uint8_t* g2_x, const std::uint8_t* translator_key,
                                               const char*& reason) {
    return make_core(g2_x, translator_key, LanePath::scalar, reason);
}

std::int32_t split_proof(std::uint64_t total, std::uint64_t num_public_inputs, std::uint64_t* count, bbipc_verdict& verdict) {
    u64 lengths[5];
    FormatError error;
    if (!split_lengths(total, num_public_inputs, lengths, error)) return encoding_status(error, verdict);
    std::copy(std::begin(lengths), std::end(lengths), count);
    return encoding_status(std::nullopt, verdict);
}

#endif

}  // namespace bbipc
