// What one arithmetic path offers the C ABI. The interface knows no arithmetic; csrc/engine/engine.cpp implements it once per
// path.
#pragma once

#include <cstdint>
#include <memory>

#include "../include/bbipc_core.h"

// The opaque types of the C ABI are these interfaces.
struct bbipc_core;

struct bbipc_claim {
    explicit bbipc_claim(const bbipc_core* made_by) : owner(made_by) {}
    virtual ~bbipc_claim() = default;

    const bbipc_core* const owner;  // under whose setup the proof was reduced; to be compared, never dereferenced

    // Not null if the reduction itself failed (for want of memory): then this is the verdict, and the claim belongs to no
    // engine.
    virtual const bbipc_verdict* failure() const { return nullptr; }
};

// Functions return what the C ABI's functions of the same name return, and may throw std::bad_alloc or std::runtime_error.
struct bbipc_core {
    virtual ~bbipc_core() = default;

    virtual std::int32_t arith() const = 0;

    virtual void verify(const bbipc_proof& proof, const std::uint8_t* key, std::uint64_t key_length, std::uint32_t flags,
                        std::uint32_t threads, const std::int32_t* cancel, bbipc_verdict& verdict) const = 0;
    virtual std::unique_ptr<bbipc_claim> reduce(const bbipc_proof& proof, const std::uint8_t* key, std::uint64_t key_length,
                                                std::uint32_t flags, const std::int32_t* cancel) const = 0;
    // cancels: null, or one entry for each proof. Fills results[0 .. count - 1].
    virtual void reduce_many(const bbipc_proof* proofs, const std::uint8_t* const* keys, const std::uint64_t* key_lengths,
                             std::uint64_t count, std::uint32_t flags, const std::int32_t* const* cancels,
                             std::unique_ptr<bbipc_claim>* results) const = 0;
    virtual void check(const bbipc_claim* const* claims, std::uint64_t count, std::uint32_t threads,
                       const std::int32_t* const* cancels, bbipc_verdict* verdicts) const = 0;
    virtual void verify_many(const bbipc_proof* proofs, const std::uint8_t* const* keys, const std::uint64_t* key_lengths,
                             std::uint64_t count, std::uint32_t flags, std::uint32_t threads, const std::int32_t* cancel,
                             bbipc_verdict* verdicts) const = 0;
    virtual std::int32_t key_inspect(const std::uint8_t* key, std::uint64_t key_length, std::uint64_t* words,
                                     std::uint8_t* hash, bbipc_verdict& verdict) const = 0;

    virtual std::int32_t proof_compress(const bbipc_proof& proof, std::uint8_t* out, std::uint64_t out_length,
                                        bbipc_verdict& verdict) const = 0;
    virtual std::int32_t proof_decompress(const std::uint8_t* in, std::uint64_t in_length, std::uint8_t* out,
                                          std::uint64_t out_length, bbipc_verdict& verdict) const = 0;

    virtual std::int32_t field_op(std::int32_t field, std::int32_t op, const std::uint8_t* a, const std::uint8_t* b,
                                  std::uint8_t* out) const = 0;
    virtual std::int32_t field_reduce512(std::int32_t field, const std::uint8_t* in, std::uint8_t* out) const = 0;
    virtual std::int32_t point_add(std::int32_t curve, const std::uint8_t* a, const std::uint8_t* b,
                                   std::uint8_t* out) const = 0;
    virtual std::int32_t point_mul(std::int32_t curve, const std::uint8_t* point, const std::uint8_t* scalar,
                                   std::uint8_t* out) const = 0;
    virtual std::int32_t point_msm(std::int32_t curve, const std::uint8_t* points, const std::uint8_t* scalars,
                                   std::uint64_t count, std::uint8_t* out) const = 0;
    virtual std::int32_t point_batch_mul(std::int32_t curve, const std::uint8_t* points, const std::uint8_t* scalar,
                                         std::uint64_t count, std::uint8_t* out) const = 0;
    virtual std::int32_t generators_msm(const std::uint8_t* scalars, std::uint64_t count, std::uint32_t threads,
                                        std::uint8_t* out) const = 0;
    virtual std::int32_t generators(std::uint64_t first, std::uint64_t count, std::uint8_t* out) const = 0;
    virtual std::int32_t g2_mul(const std::uint8_t* point, const std::uint8_t* scalar, std::uint8_t* out) const = 0;
    virtual std::int32_t pairing(const std::uint8_t* g1, const std::uint8_t* g2, std::uint64_t count, std::int32_t* is_one,
                                 std::uint8_t* gt) const = 0;
    virtual std::int32_t g1_decompress(const std::uint8_t* words, std::uint64_t count, std::uint32_t threads, std::uint8_t* out,
                                       std::uint64_t* failed) const = 0;
    virtual std::int32_t points_check(std::int32_t curve, const std::uint8_t* points, std::uint64_t count,
                                      std::uint32_t threads, std::uint64_t* failed) const = 0;
    virtual std::int32_t g1_combine_neighbours(const std::uint8_t* points, std::uint64_t count, std::uint32_t threads,
                                               std::uint8_t* later, std::uint8_t* earlier) const = 0;
    virtual std::int32_t poseidon2_permute(const std::uint8_t* in, std::uint8_t* out) const = 0;
    virtual std::int32_t poseidon2_hash(const std::uint8_t* words, std::uint64_t count, std::uint8_t* out) const = 0;
    virtual std::int32_t poseidon2_absorb(std::uint8_t* state, const std::uint8_t* words, std::uint64_t count) const = 0;
    virtual std::int32_t poseidon2_hash_many(const std::uint8_t* words, const std::uint64_t* counts, std::uint64_t messages,
                                             std::uint8_t* out) const = 0;
};

namespace bbipc {

// Null and a reason if the setup is bad. g2_x and translator_key are both null for the Aztec setup. use_ifma: only if
// adx_path_has_ifma().
std::unique_ptr<bbipc_core> make_portable_core(const std::uint8_t* g2_x, const std::uint8_t* translator_key,
                                               const char*& reason);
std::unique_ptr<bbipc_core> make_adx_core(const std::uint8_t* g2_x, const std::uint8_t* translator_key, bool use_ifma,
                                          const char*& reason);

bool adx_path_has_ifma();

std::int32_t split_proof(std::uint64_t total, std::uint64_t num_public_inputs, std::uint64_t* count, bbipc_verdict& verdict);

}  // namespace bbipc
