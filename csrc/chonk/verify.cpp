#include "verify.hpp"

#include <cinttypes>

#include "../msm/msm.hpp"
#include "hiding_kernel_io.hpp"
#include "merge.hpp"
#include "oink.hpp"

BBIPC_BEGIN

namespace {

// Step 0: the total length (chapter 03 section 3), and in strict mode the length of each part (chapter 00 section 6).
Verdict check_lengths(const Proof& proof, const Key& key, bool strict) {
    const u64 expected = key.num_public_inputs + fixed_length;  // modulo 2^64, as bb computes it
    if (proof.total() != expected) {
        return verdict_error(BBIPC_PART_FLAT, -1, "proof has wrong size: expected %" PRIu64 ", got %zu", expected,
                             proof.total());
    }
    if (!strict) return verdict_valid();
    const PartView* const parts[5] = {&proof.hiding_oink, &proof.merge, &proof.eccvm, &proof.ipa, &proof.joint};
    const u64 lengths[5] = {key.num_public_inputs + oink_fixed_length, merge_length, eccvm_length, ipa_length, joint_length};
    for (std::size_t i = 0; i < 5; ++i) {
        if (parts[i]->count != lengths[i]) {
            return verdict_error(parts[i]->part, -1, "%s has wrong size: expected %" PRIu64 ", got %zu",
                                 part_name(parts[i]->part), lengths[i], parts[i]->count);
        }
    }
    return verdict_valid();
}

// An error found while a step read its input names that step.
Verdict in_step(std::int32_t step, Verdict verdict) {
    if (verdict.outcome == BBIPC_ERROR) verdict.step = step;
    return verdict;
}

// The steps of chapter 00 section 5 in order; returns the first verdict that is not valid, having recorded the pairing checks
// before it.
Verdict run_steps(const Setup& setup, const Key& key, const bbipc_proof& parts, bool strict, const CancelFlag& cancel,
                  Claim& claim) {
    const auto postpone = [&claim](const PairingCheck& check) { claim.pairings[claim.pairing_count++] = check; };
    Proof proof;
    Verdict verdict = verdict_valid();
    if (!view_proof(parts, proof, verdict)) return verdict;  // 0
    verdict = check_lengths(proof, key, strict);
    if (verdict.outcome != BBIPC_VALID) return verdict;

    Transcript transcript;
    OinkResult oink;  // 1
    verdict = in_step(BBIPC_STEP_OINK, verify_oink(transcript, key, proof.hiding_oink, oink));
    if (verdict.outcome != BBIPC_VALID) return verdict;

    HidingKernelIo io;  // 2
    PartView public_inputs = proof.hiding_oink;
    public_inputs.count -= oink_fixed_length;
    verdict = in_step(BBIPC_STEP_OINK, decode_hiding_kernel_io(public_inputs, io));
    if (verdict.outcome != BBIPC_VALID) return verdict;
    postpone({BBIPC_STEP_PI_PAIRING, io.pairing_p0, io.pairing_p1});  // 3
    if (oink.witness[OinkResult::kernel_calldata] != io.kernel_return_data) return verdict_invalid(BBIPC_STEP_DATABUS);  // 4
    if (cancel.raised()) return verdict_cancelled();

    MergeResult merge;  // 5
    const auto own_table = std::span<const G1, 12>(oink.witness).subspan<OinkResult::ecc_op_wire_1, 4>();
    verdict = in_step(BBIPC_STEP_MERGE_REDUCTION, verify_merge(transcript, proof.merge, io.previous_table, own_table, merge));
    if (verdict.outcome != BBIPC_VALID) return verdict;
    postpone(merge.check);
    if (cancel.raised()) return verdict_cancelled();

    EccvmResult eccvm;  // 6
    verdict = in_step(BBIPC_STEP_ECCVM, verify_eccvm(transcript, proof.eccvm, eccvm));
    if (verdict.outcome != BBIPC_VALID) return verdict;
    if (cancel.raised()) return verdict_cancelled();

    const JointInputs inputs{setup.translator_key,    key, oink, merge.merged_table, eccvm.x, eccvm.v,
                             eccvm.accumulated_result};  // 7
    PairingCheck joint;
    verdict = in_step(BBIPC_STEP_JOINT_REDUCTION, verify_joint(transcript, proof.joint, inputs, joint));
    if (verdict.outcome != BBIPC_VALID) return verdict;
    postpone(joint);  // 8
    if (cancel.raised()) return verdict_cancelled();

    return in_step(BBIPC_STEP_IPA, read_ipa(proof.ipa, eccvm.claim, claim.ipa));  // 9
}

// The random linear combination of pairing checks, decided by one product of two pairings: a false one passes with probability
// 2^-128.
bool pairings_hold(const Setup& setup, std::span<const PairingCheck> checks, const RandomSource& random) {
    if (checks.empty()) return true;
    std::vector<G1> p0(checks.size()), p1(checks.size());
    std::vector<Fr> weights(checks.size());
    for (std::size_t i = 0; i < checks.size(); ++i) {
        p0[i] = checks[i].p0;
        p1[i] = checks[i].p1;
        weights[i] = i == 0 ? Fr::one() : random_weight<Fr>(random);
    }
    const bool alone = checks.size() == 1;
    const PairingInput inputs[2] = {{alone ? p0[0] : msm<G1Curve>(p0, weights).to_affine(), &setup.g2_one},
                                    {alone ? p1[0] : msm<G1Curve>(p1, weights).to_affine(), &setup.g2_x}};
    return pairing_product_is_one(inputs);
}

// Of checks that do not hold together: invalid at the first that does not hold alone.
Verdict first_failing_pairing(const Setup& setup, std::span<const PairingCheck> checks, const RandomSource& random) {
    for (const PairingCheck& one : checks) {
        if (!pairings_hold(setup, std::span(&one, 1), random)) return verdict_invalid(one.step);
    }
    return verdict_undecided();  // out of reach: if each holds alone, any combination does
}

// The claims, by their numbers, of which a joint check holds: `holds` is true for a list without bad claims, and for a single
// claim exact. Nothing is good but what `holds` was true for.
template <class Holds>
class Bisection {
  public:
    Bisection(const Holds& holds, std::size_t count) : holds_(holds), good_(count, false) {}

    // good[i] for each i of `items`.
    static std::vector<bool> find_good(std::span<const std::size_t> items, std::size_t count, const Holds& holds) {
        Bisection bisection(holds, count);
        bisection.search(items);
        return std::move(bisection.good_);
    }

  private:
    // True if all are good.
    bool search(std::span<const std::size_t> items) {
        if (!items.empty() && !holds_(items)) {
            split(items);
            return false;
        }
        for (const std::size_t i : items) good_[i] = true;
        return true;
    }

    // `items` is known to contain a bad one.
    void split(std::span<const std::size_t> items) {
        if (items.size() == 1) return;
        const auto first = items.first(items.size() / 2), second = items.subspan(items.size() / 2);
        if (search(first) && second.size() > 1) {
            split(second);  // the first half is good, so this one is not
        } else {
            search(second);  // a single item is always judged by itself
        }
    }

    const Holds& holds_;
    std::vector<bool> good_;
};

}  // namespace

void reduce(const Setup& setup, const Key& key, const bbipc_proof& parts, bool strict, const CancelFlag& cancel, Claim& claim) {
    claim.pairing_count = 0;
    claim.rest = run_steps(setup, key, parts, strict, cancel, claim);
}

void check(const Setup& setup, std::span<const Claim* const> claims, std::span<const CancelFlag> cancels,
           const Options& options, std::span<Verdict> verdicts) {
    const auto is_cancelled = [&](std::size_t i) {
        return options.cancel.raised() || (!cancels.empty() && cancels[i].raised());
    };
    std::vector<std::size_t> open;  // claims without a verdict so far
    for (std::size_t i = 0; i < claims.size(); ++i) {
        verdicts[i] = verdict_undecided();
        if (is_cancelled(i) || claims[i]->rest.outcome == BBIPC_CANCELLED) {
            verdicts[i] = verdict_cancelled();
        } else {
            open.push_back(i);
        }
    }

    // Pairings, of all proofs together; a failing proof's first failing check names the step.
    std::vector<PairingCheck> checks;
    const auto proofs_pair = [&](std::span<const std::size_t> items) {
        checks.clear();
        for (const std::size_t i : items) {
            const auto own = claims[i]->pairing_checks();
            checks.insert(checks.end(), own.begin(), own.end());
        }
        return pairings_hold(setup, checks, *options.random);
    };
    const std::vector<bool> pair = Bisection<decltype(proofs_pair)>::find_good(open, claims.size(), proofs_pair);
    std::vector<std::size_t> waiting;  // claims of which only the inner-product argument is open
    for (const std::size_t i : open) {
        if (!pair[i]) {
            verdicts[i] = first_failing_pairing(setup, claims[i]->pairing_checks(), *options.random);
        } else if (claims[i]->rest.outcome != BBIPC_VALID) {
            verdicts[i] = claims[i]->rest;
        } else {
            waiting.push_back(i);
        }
    }

    // Inner-product arguments of the proofs of which all else holds.
    std::erase_if(waiting, [&](std::size_t i) {
        if (!is_cancelled(i)) return false;
        verdicts[i] = verdict_cancelled();
        return true;
    });
    std::vector<const IpaClaim*> ipa_claims;
    bool cancelled = false;
    const auto arguments_hold = [&](std::span<const std::size_t> items) {
        if (cancelled) return false;  // no further work; every verdict is replaced below
        ipa_claims.clear();
        for (const std::size_t i : items) ipa_claims.push_back(&claims[i]->ipa);
        return check_ipa(ipa_claims, options, cancelled);
    };
    const std::vector<bool> holds = Bisection<decltype(arguments_hold)>::find_good(waiting, claims.size(), arguments_hold);
    for (const std::size_t i : waiting) {
        if (cancelled) {
            verdicts[i] = verdict_cancelled();
        } else {
            verdicts[i] = holds[i] ? verdict_valid() : verdict_invalid(BBIPC_STEP_IPA);
        }
    }
}

BBIPC_END
