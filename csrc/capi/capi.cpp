// The C ABI: chooses an arithmetic path, keeps exceptions inside, and answers for null pointers. Everything else is in
// csrc/engine/.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "../cpu.hpp"
#include "../engine/engine.hpp"
#include "../wire/answer.hpp"

namespace {

void set_error(bbipc_verdict& verdict, const char* message) {
    verdict = bbipc_verdict{};
    verdict.outcome = BBIPC_ERROR;
    verdict.position = -1;
    std::snprintf(verdict.message, sizeof verdict.message, "%s", message);
}

void set_message(char* message, const char* text) {
    if (message != nullptr) std::snprintf(message, sizeof bbipc_verdict{}.message, "%s", text);
}

constexpr const char* null_message = "a null pointer where none is allowed";

template <class... Types>
bool any_null(const Types*... pointers) {
    return ((pointers == nullptr) || ...);
}

// An array or a run of bytes that is not there, though its length is not 0.
bool missing(const void* pointer, std::uint64_t length) { return pointer == nullptr && length != 0; }

bool is_whole(const bbipc_proof& proof) {
    for (int part = 0; part < 5; ++part) {
        if (missing(proof.part[part], proof.count[part])) return false;
    }
    return true;
}

bool are_whole(const bbipc_proof* proofs, const std::uint8_t* const* keys, const std::uint64_t* key_lengths,
               std::uint64_t count) {
    if (missing(proofs, count) || missing(keys, count) || missing(key_lengths, count)) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!is_whole(proofs[i]) || missing(keys[i], key_lengths[i])) return false;
    }
    return true;
}

// Runs an action that fills a verdict. It is an error until the action writes another; whether it did is returned.
template <class Action>
bool with_verdict(bbipc_verdict& verdict, bool complete, const Action& action) noexcept {
    set_error(verdict, complete ? "nothing was decided" : null_message);
    if (!complete) return false;
    try {
        action();
        return true;
    } catch (const std::bad_alloc&) {
        set_error(verdict, "out of memory");
    } catch (const std::exception& problem) {
        set_error(verdict, problem.what());
    }
    return false;
}

// Runs an action that fills all verdicts; if it fails, its failure is the verdict on all. Until then they are errors.
template <class Action>
void all_or_failure(bbipc_verdict* verdicts, std::uint64_t count, bool complete, const Action& action) noexcept {
    if (verdicts == nullptr) return;
    for (std::uint64_t i = 0; i < count; ++i) set_error(verdicts[i], "nothing was decided");
    bbipc_verdict failure;
    if (with_verdict(failure, complete, action)) return;
    for (std::uint64_t i = 0; i < count; ++i) verdicts[i] = failure;
}

// Runs an action on an encoding, whose failures are a status, and a verdict that says why.
template <class Action>
std::int32_t with_encoding(bbipc_verdict* verdict, bool complete, const Action& action) noexcept {
    if (verdict == nullptr) return BBIPC_BAD_ARGUMENT;
    std::int32_t status = complete ? BBIPC_OUT_OF_MEMORY : BBIPC_BAD_ARGUMENT;
    with_verdict(*verdict, complete, [&] { status = action(); });
    return status;
}

// Runs an action whose failures are status codes.
template <class Action>
std::int32_t with_status(bool complete, const Action& action) noexcept {
    if (!complete) return BBIPC_BAD_ARGUMENT;
    try {
        return action();
    } catch (const std::exception&) {
        return BBIPC_OUT_OF_MEMORY;
    }
}

// A claim that could not be made, for want of memory or of an argument: bbipc_check answers for it.
struct FailedClaim final : bbipc_claim {
    explicit FailedClaim(const char* message) : bbipc_claim(nullptr) { set_error(verdict, message); }
    const bbipc_verdict* failure() const override { return &verdict; }
    bbipc_verdict verdict;
};

// Checks the claims that an engine made; the others carry their verdicts.
void check_claims(const bbipc_core& core, std::span<const bbipc_claim* const> claims, std::uint32_t threads,
                  const std::int32_t* const* cancels, bbipc_verdict* verdicts) {
    std::vector<std::size_t> made;
    std::vector<const bbipc_claim*> made_claims;
    std::vector<const std::int32_t*> made_cancels;
    for (std::size_t i = 0; i < claims.size(); ++i) {
        if (claims[i] == nullptr) {
            set_error(verdicts[i], null_message);
            continue;
        }
        if (const bbipc_verdict* const failed = claims[i]->failure(); failed != nullptr) {
            verdicts[i] = *failed;
            continue;
        }
        if (claims[i]->owner != &core) {
            set_error(verdicts[i], "a claim must be checked by the context that made it");
            continue;
        }
        made.push_back(i);
        made_claims.push_back(claims[i]);
        made_cancels.push_back(cancels == nullptr ? nullptr : cancels[i]);
    }
    std::vector<bbipc_verdict> made_verdicts(made.size());
    core.check(made_claims.data(), made.size(), threads, made_cancels.data(), made_verdicts.data());
    for (std::size_t k = 0; k < made.size(); ++k) verdicts[made[k]] = made_verdicts[k];
}

}  // namespace

extern "C" {

std::int32_t bbipc_arith_supported(std::int32_t arith) {
    switch (arith) {
        case BBIPC_ARITH_AUTO:
        case BBIPC_ARITH_PORTABLE: return 1;
#if BBIPC_HAS_ADX
        case BBIPC_ARITH_ADX: return bbipc::cpu::has_adx() ? 1 : 0;
        case BBIPC_ARITH_IFMA: return bbipc::cpu::has_adx() && bbipc::adx_path_has_ifma() ? 1 : 0;
#endif
        default: return 0;
    }
}

bbipc_core* bbipc_core_new(const std::uint8_t* g2_x, const std::uint8_t* translator_key, std::int32_t arith, char* message) {
    if (bbipc_arith_supported(arith) == 0) {
        set_message(message, "this arithmetic path is not supported by this machine or build");
        return nullptr;
    }
    const char* reason = nullptr;
    std::unique_ptr<bbipc_core> core;
    try {
#if BBIPC_HAS_ADX
        const bool automatic = arith == BBIPC_ARITH_AUTO;
        if (arith == BBIPC_ARITH_ADX || arith == BBIPC_ARITH_IFMA ||
            (automatic && bbipc_arith_supported(BBIPC_ARITH_ADX) != 0)) {
            const bool use_ifma = arith == BBIPC_ARITH_IFMA || (automatic && bbipc_arith_supported(BBIPC_ARITH_IFMA) != 0);
            core = bbipc::make_adx_core(g2_x, translator_key, use_ifma, reason);
        } else
#endif
        {
            core = bbipc::make_portable_core(g2_x, translator_key, reason);
        }
    } catch (const std::exception&) {
        reason = "out of memory";
    }
    if (!core) set_message(message, reason);
    return core.release();
}

void bbipc_core_free(bbipc_core* core) { delete core; }

std::int32_t bbipc_core_arith(const bbipc_core* core) { return core == nullptr ? 0 : core->arith(); }

void bbipc_verify(const bbipc_core* core, const bbipc_proof* proof, const std::uint8_t* key, std::uint64_t key_length,
                  std::uint32_t flags, std::uint32_t threads, const std::int32_t* cancel, bbipc_verdict* verdict) {
    if (verdict == nullptr) return;
    with_verdict(*verdict, !any_null(core, proof) && is_whole(*proof) && !missing(key, key_length),
                 [&] { core->verify(*proof, key, key_length, flags, threads, cancel, *verdict); });
}

bbipc_claim* bbipc_reduce(const bbipc_core* core, const bbipc_proof* proof, const std::uint8_t* key, std::uint64_t key_length,
                          std::uint32_t flags, const std::int32_t* cancel) {
    if (any_null(core, proof) || !is_whole(*proof) || missing(key, key_length)) {
        return new (std::nothrow) FailedClaim(null_message);
    }
    try {
        return core->reduce(*proof, key, key_length, flags, cancel).release();
    } catch (const std::exception& problem) {
        return new (std::nothrow) FailedClaim(problem.what());
    }
}

void bbipc_reduce_many(const bbipc_core* core, const bbipc_proof* proofs, const std::uint8_t* const* keys,
                       const std::uint64_t* key_lengths, std::uint64_t count, std::uint32_t flags,
                       const std::int32_t* const* cancels, bbipc_claim** claims) {
    if (claims == nullptr) return;
    std::fill_n(claims, count, nullptr);
    if (core == nullptr || !are_whole(proofs, keys, key_lengths, count)) {
        for (std::uint64_t i = 0; i < count; ++i) claims[i] = new (std::nothrow) FailedClaim(null_message);
        return;
    }
    try {
        std::vector<std::unique_ptr<bbipc_claim>> made(count);
        core->reduce_many(proofs, keys, key_lengths, count, flags, cancels, made.data());
        for (std::uint64_t i = 0; i < count; ++i) claims[i] = made[i].release();
    } catch (const std::exception& problem) {
        for (std::uint64_t i = 0; i < count; ++i) claims[i] = new (std::nothrow) FailedClaim(problem.what());
    }
}

void bbipc_claim_free(bbipc_claim* claim) { delete claim; }

void bbipc_check(const bbipc_core* core, const bbipc_claim* const* claims, std::uint64_t count, std::uint32_t threads,
                 const std::int32_t* const* cancels, bbipc_verdict* verdicts) {
    all_or_failure(verdicts, count, core != nullptr && !missing(claims, count),
                   [&] { check_claims(*core, std::span(claims, count), threads, cancels, verdicts); });
}

void bbipc_verify_many(const bbipc_core* core, const bbipc_proof* proofs, const std::uint8_t* const* keys,
                       const std::uint64_t* key_lengths, std::uint64_t count, std::uint32_t flags, std::uint32_t threads,
                       const std::int32_t* cancel, bbipc_verdict* verdicts) {
    all_or_failure(verdicts, count, core != nullptr && are_whole(proofs, keys, key_lengths, count),
                   [&] { core->verify_many(proofs, keys, key_lengths, count, flags, threads, cancel, verdicts); });
}

std::int32_t bbipc_key_inspect(const bbipc_core* core, const std::uint8_t* key, std::uint64_t key_length,
                               std::uint64_t words[3], std::uint8_t hash[32], bbipc_verdict* verdict) {
    return with_encoding(verdict, !any_null(core, words, hash) && !missing(key, key_length),
                         [&] { return core->key_inspect(key, key_length, words, hash, *verdict); });
}

std::int32_t bbipc_proof_split(std::uint64_t total, std::uint64_t num_public_inputs, std::uint64_t count[5],
                               bbipc_verdict* verdict) {
    return with_encoding(verdict, count != nullptr,
                         [&] { return bbipc::split_proof(total, num_public_inputs, count, *verdict); });
}

std::int32_t bbipc_proof_compress(const bbipc_core* core, const bbipc_proof* proof, std::uint8_t* out, std::uint64_t out_length,
                                  bbipc_verdict* verdict) {
    return with_encoding(verdict, !any_null(core, proof) && is_whole(*proof) && !missing(out, out_length),
                         [&] { return core->proof_compress(*proof, out, out_length, *verdict); });
}

std::int32_t bbipc_proof_decompress(const bbipc_core* core, const std::uint8_t* in, std::uint64_t in_length, std::uint8_t* out,
                                    std::uint64_t out_length, bbipc_verdict* verdict) {
    return with_encoding(verdict, core != nullptr && !missing(in, in_length) && !missing(out, out_length),
                         [&] { return core->proof_decompress(in, in_length, out, out_length, *verdict); });
}

std::int32_t bbipc_field_op(const bbipc_core* core, std::int32_t field, std::int32_t op, const std::uint8_t* a,
                            const std::uint8_t* b, std::uint8_t* out) {
    return with_status(!any_null(core, a, out), [&] { return core->field_op(field, op, a, b, out); });
}

std::int32_t bbipc_field_reduce512(const bbipc_core* core, std::int32_t field, const std::uint8_t in[64],
                                   std::uint8_t out[32]) {
    return with_status(!any_null(core, in, out), [&] { return core->field_reduce512(field, in, out); });
}

std::int32_t bbipc_point_add(const bbipc_core* core, std::int32_t curve, const std::uint8_t a[64], const std::uint8_t b[64],
                             std::uint8_t out[64]) {
    return with_status(!any_null(core, a, b, out), [&] { return core->point_add(curve, a, b, out); });
}

std::int32_t bbipc_point_mul(const bbipc_core* core, std::int32_t curve, const std::uint8_t point[64],
                             const std::uint8_t scalar[32], std::uint8_t out[64]) {
    return with_status(!any_null(core, point, scalar, out), [&] { return core->point_mul(curve, point, scalar, out); });
}

std::int32_t bbipc_point_msm(const bbipc_core* core, std::int32_t curve, const std::uint8_t* points,
                             const std::uint8_t* scalars, std::uint64_t count, std::uint8_t out[64]) {
    return with_status(!any_null(core, out) && !missing(points, count) && !missing(scalars, count),
                       [&] { return core->point_msm(curve, points, scalars, count, out); });
}

std::int32_t bbipc_point_batch_mul(const bbipc_core* core, std::int32_t curve, const std::uint8_t* points,
                                   const std::uint8_t scalar[32], std::uint64_t count, std::uint8_t* out) {
    return with_status(!any_null(core, scalar) && !missing(points, count) && !missing(out, count),
                       [&] { return core->point_batch_mul(curve, points, scalar, count, out); });
}

std::int32_t bbipc_generators_msm(const bbipc_core* core, const std::uint8_t* scalars, std::uint64_t count,
                                  std::uint32_t threads, std::uint8_t out[64]) {
    return with_status(!any_null(core, out) && !missing(scalars, count),
                       [&] { return core->generators_msm(scalars, count, threads, out); });
}

std::int32_t bbipc_generators(const bbipc_core* core, std::uint64_t first, std::uint64_t count, std::uint8_t* out) {
    return with_status(core != nullptr && !missing(out, count), [&] { return core->generators(first, count, out); });
}

std::int32_t bbipc_g2_mul(const bbipc_core* core, const std::uint8_t point[128], const std::uint8_t scalar[32],
                          std::uint8_t out[128]) {
    return with_status(!any_null(core, point, scalar, out), [&] { return core->g2_mul(point, scalar, out); });
}

std::int32_t bbipc_pairing(const bbipc_core* core, const std::uint8_t* g1, const std::uint8_t* g2, std::uint64_t count,
                           std::int32_t* is_one, std::uint8_t* gt) {
    if (is_one == nullptr) return BBIPC_BAD_ARGUMENT;
    *is_one = 0;
    return with_status(core != nullptr && !missing(g1, count) && !missing(g2, count),
                       [&] { return core->pairing(g1, g2, count, is_one, gt); });
}

std::int32_t bbipc_g1_decompress(const bbipc_core* core, const std::uint8_t* words, std::uint64_t count, std::uint32_t threads,
                                 std::uint8_t* out, std::uint64_t* failed) {
    return with_status(!any_null(core, failed) && !missing(words, count) && !missing(out, count),
                       [&] { return core->g1_decompress(words, count, threads, out, failed); });
}

std::int32_t bbipc_points_check(const bbipc_core* core, std::int32_t curve, const std::uint8_t* points, std::uint64_t count,
                                std::uint32_t threads, std::uint64_t* failed) {
    return with_status(!any_null(core, failed) && !missing(points, count),
                       [&] { return core->points_check(curve, points, count, threads, failed); });
}

std::int32_t bbipc_g1_combine_neighbours(const bbipc_core* core, const std::uint8_t* points, std::uint64_t count,
                                         std::uint32_t threads, std::uint8_t later[64], std::uint8_t earlier[64]) {
    return with_status(!any_null(core, later, earlier) && !missing(points, count),
                       [&] { return core->g1_combine_neighbours(points, count, threads, later, earlier); });
}

std::int32_t bbipc_poseidon2_permute(const bbipc_core* core, const std::uint8_t in[128], std::uint8_t out[128]) {
    return with_status(!any_null(core, in, out), [&] { return core->poseidon2_permute(in, out); });
}

std::int32_t bbipc_poseidon2_hash(const bbipc_core* core, const std::uint8_t* words, std::uint64_t count,
                                  std::uint8_t out[32]) {
    return with_status(!any_null(core, out) && !missing(words, count), [&] { return core->poseidon2_hash(words, count, out); });
}

std::int32_t bbipc_poseidon2_absorb(const bbipc_core* core, std::uint8_t state[128], const std::uint8_t* words,
                                    std::uint64_t count) {
    return with_status(!any_null(core, state) && !missing(words, count),
                       [&] { return core->poseidon2_absorb(state, words, count); });
}

std::int32_t bbipc_poseidon2_hash_many(const bbipc_core* core, const std::uint8_t* words, const std::uint64_t* counts,
                                       std::uint64_t messages, std::uint8_t* out) {
    bool complete = core != nullptr && !missing(counts, messages) && !missing(out, messages);
    for (std::uint64_t i = 0; complete && i < messages; ++i) complete = !missing(words, counts[i]);
    return with_status(complete, [&] { return core->poseidon2_hash_many(words, counts, messages, out); });
}

void bbipc_answer_frames(const bbipc_core* core, const bbipc_answer_rules* rules, const std::uint8_t* in,
                         std::uint64_t in_length, std::uint8_t* out, std::uint64_t out_length, bbipc_answered* answered) {
    if (answered == nullptr) return;
    *answered = {};
    answered->stopped = BBIPC_STOPPED_OTHER;
    if (any_null(core, rules) || missing(rules->in_flight, rules->in_flight_count)) return;
    if (missing(in, in_length) || missing(out, out_length)) return;
    bbipc::wire::answer_frames(*core, *rules, in, in_length, out, out_length, *answered);
}

void bbipc_answer_message(const bbipc_core* core, const bbipc_answer_rules* rules, const std::uint8_t* payload,
                          std::uint64_t length, std::uint8_t* out, std::uint64_t out_length, bbipc_answered* answered) {
    if (answered == nullptr) return;
    *answered = {};
    answered->stopped = BBIPC_STOPPED_OTHER;
    if (any_null(core, rules) || missing(rules->in_flight, rules->in_flight_count)) return;
    if (missing(payload, length) || missing(out, out_length)) return;
    bbipc::wire::answer_message(*core, *rules, payload, length, out, out_length, *answered);
}

}  // extern "C"
