#include "verify.hpp"

#include <algorithm>
#include <utility>

#include "../../msm/parallel.hpp"
#include "../ipa/ipa.hpp"

BBIPC_BEGIN

namespace {

// Pairing checks with their P0 evaluated.
struct SummedCheck {
    std::int32_t step;
    G1 p0, p1;
};

bool pairing_holds(const Setup& setup, const G1& p0, const G1& p1) {
    const PairingInput inputs[2] = {{p0, &setup.g2_one}, {p1, &setup.g2_x}};
    return pairing_product_is_one(inputs);
}

// Sums of combinations, on several threads: terms are cut into slices that are worth a thread.
Affine<G1Curve> sum_on_threads(const Combination<G1Curve>& combination, const Options& options) {
    constexpr std::size_t worth_a_thread = 512;
    const std::size_t terms = combination.points().size();
    const std::size_t slices = std::clamp<std::size_t>(terms / worth_a_thread, 1, options.threads);
    if (slices == 1) return combination.sum(options.lane_path);
    std::vector<Jacobian<G1Curve>> sums(slices);
    parallel_for(slices, options.threads, [&](unsigned, std::size_t i) {
        const std::size_t first = terms * i / slices, size = terms * (i + 1) / slices - first;
        sums[i] = msm<G1Curve>(combination.points().subspan(first, size), combination.scalars().subspan(first, size),
                               options.lane_path);
    });
    for (std::size_t i = 1; i < slices; ++i) sums[0] += sums[i];
    return sums[0].to_affine();
}

// The random linear combination of all pairing checks of these claims, decided by one product of two pairings: if one of them is
// false it passes with probability 2^-128. Their terms are weighed, not their sums, and added in one multiplication.
bool pairings_hold(const Setup& setup, std::span<const Claim* const> claims, const Options& options) {
    Combination<G1Curve> p0(g1_generator()), p1;
    std::size_t terms = 0;
    for (const Claim* claim : claims) {
        for (const PairingCheck& check : claim->pairing_checks()) terms += check.p0.points().size();
    }
    p0.reserve(terms);
    bool first = true;
    for (const Claim* claim : claims) {
        for (const PairingCheck& check : claim->pairing_checks()) {
            const Fr weight = first ? Fr::one() : random_weight<Fr>(*options.random);
            p0.add_weighted(check.p0, weight);
            p1.add(check.p1, weight);
            first = false;
        }
    }
    if (first) return true;  // there is none
    p0.merge_equal_points();
    return pairing_holds(setup, sum_on_threads(p0, options), sum_on_threads(p1, options));
}

std::vector<SummedCheck> sum_checks(const Claim& claim, LanePath path) {
    std::vector<SummedCheck> checks;
    for (const PairingCheck& check : claim.pairing_checks()) checks.push_back({check.step, check.p0.sum(path), check.p1});
    return checks;
}

// The same combination of checks whose sums are known, for the search for bad ones.
bool sums_hold(const Setup& setup, std::span<const SummedCheck> checks, const Options& options) {
    if (checks.size() == 1) return pairing_holds(setup, checks[0].p0, checks[0].p1);
    Combination<G1Curve> p0, p1;
    for (std::size_t i = 0; i < checks.size(); ++i) {
        const Fr weight = i == 0 ? Fr::one() : random_weight<Fr>(*options.random);
        p0.add(checks[i].p0, weight);
        p1.add(checks[i].p1, weight);
    }
    return checks.empty() || pairing_holds(setup, p0.sum(options.lane_path), p1.sum(options.lane_path));
}

// Of checks that do not hold together: invalid at the first that does not hold alone.
Rejection first_failing_pairing(const Setup& setup, std::span<const SummedCheck> checks) {
    for (const SummedCheck& one : checks) {
        if (!pairing_holds(setup, one.p0, one.p1)) return Rejection::invalid(one.step);
    }
    return Rejection::failure("no pairing check fails");  // out of reach: if each holds alone, any combination does
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

// Decides claims; the only place where a proof can be accepted.
class FinalCheck {
  public:
    FinalCheck(const Setup& setup, std::span<const Claim* const> claims, std::span<const CancelFlag> cancels,
               const Options& options, std::span<Verdict> verdicts)
        : setup_(setup), claims_(claims), cancels_(cancels), options_(options), verdicts_(verdicts) {}

    void run() {
        std::vector<std::size_t> open;  // claims without a verdict so far
        for (std::size_t i = 0; i < claims_.size(); ++i) {
            verdicts_[i] = Verdict();
            const Objection& rest = claims_[i]->rest;
            if (is_cancelled(i) || (rest && rest->is_cancelled())) {
                verdicts_[i] = Rejection::cancelled();
            } else {
                open.push_back(i);
            }
        }
        decide_arguments(decide_pairings(open));
    }

  private:
    const Setup& setup_;
    const std::span<const Claim* const> claims_;
    const std::span<const CancelFlag> cancels_;
    const Options& options_;
    const std::span<Verdict> verdicts_;

    bool is_cancelled(std::size_t i) const { return options_.cancel.raised() || (!cancels_.empty() && cancels_[i].raised()); }

    // Pairings, of all proofs together; a failing proof's first failing check names the step. Returns the claims of which only the
    // inner-product argument is open.
    std::vector<std::size_t> decide_pairings(std::span<const std::size_t> open) {
        std::vector<const Claim*> together;
        for (const std::size_t i : open) together.push_back(claims_[i]);
        if (!pairings_hold(setup_, together, options_)) return search_pairings(open);
        std::vector<std::size_t> waiting;
        for (const std::size_t i : open) pass_pairings(i, waiting);
        return waiting;
    }

    // All of them hold: what remains is to be objected, or to be argued.
    void pass_pairings(std::size_t i, std::vector<std::size_t>& waiting) {
        if (claims_[i]->rest) {
            verdicts_[i] = *claims_[i]->rest;
        } else {
            waiting.push_back(i);
        }
    }

    // Some check fails. Each sum is made once, so that the search costs the same however many proofs are bad.
    std::vector<std::size_t> search_pairings(std::span<const std::size_t> open) {
        std::vector<std::vector<SummedCheck>> sums(claims_.size());
        parallel_for(open.size(), options_.threads,
                     [&](unsigned, std::size_t k) { sums[open[k]] = sum_checks(*claims_[open[k]], options_.lane_path); });
        std::vector<SummedCheck> checks;
        bool first = true;
        const auto hold = [&](std::span<const std::size_t> items) {
            if (std::exchange(first, false)) return false;  // known already
            checks.clear();
            for (const std::size_t i : items) checks.insert(checks.end(), sums[i].begin(), sums[i].end());
            return sums_hold(setup_, checks, options_);
        };
        const std::vector<bool> pair = Bisection<decltype(hold)>::find_good(open, claims_.size(), hold);
        std::vector<std::size_t> waiting;
        for (const std::size_t i : open) {
            if (pair[i]) {
                pass_pairings(i, waiting);
            } else {
                verdicts_[i] = first_failing_pairing(setup_, sums[i]);
            }
        }
        return waiting;
    }

    // Inner-product arguments of the proofs of which all else holds.
    void decide_arguments(std::vector<std::size_t> waiting) {
        std::erase_if(waiting, [&](std::size_t i) {
            if (!is_cancelled(i)) return false;
            verdicts_[i] = Rejection::cancelled();
            return true;
        });
        std::vector<const IpaClaim*> arguments;
        bool cancelled = false, first = true;
        const auto hold = [&](std::span<const std::size_t> items) {
            if (cancelled) return false;  // no further work; every verdict is replaced below
            // One proof among others that fail together is probably the bad one: the cheap equation first.
            if (!std::exchange(first, false) && items.size() == 1) {
                return check_ipa_alone(claims_[items[0]]->ipa, options_, cancelled);
            }
            arguments.clear();
            for (const std::size_t i : items) arguments.push_back(&claims_[i]->ipa);
            return check_ipa(arguments, options_, cancelled);
        };
        const std::vector<bool> holds = Bisection<decltype(hold)>::find_good(waiting, claims_.size(), hold);
        for (const std::size_t i : waiting) {
            if (cancelled) {
                verdicts_[i] = Rejection::cancelled();
            } else if (holds[i]) {
                verdicts_[i] = Verdict(Acceptance());
            } else {
                verdicts_[i] = Rejection::invalid(BBIPC_STEP_IPA);
            }
        }
    }
};

void check(const Setup& setup, std::span<const Claim* const> claims, std::span<const CancelFlag> cancels,
           const Options& options, std::span<Verdict> verdicts) {
    FinalCheck(setup, claims, cancels, options, verdicts).run();
}

BBIPC_END
