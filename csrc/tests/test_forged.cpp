// Forged proofs that satisfy every equation but one (tests/data/forged, made by fuzz/forge.py): the check of that one finds
// each, alone, in a batch with all, and beside those whose errors cancel its own. Proofs of unusual form that satisfy all of
// them are valid, also among the others.
// Argument: the file that tests/reference/forged_cases.py writes.
#include <map>
#include <string>

#include "../include/bbipc_core.h"
#include "case_file.hpp"
#include "check.hpp"
#include "paths.hpp"

using namespace bbipc;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Forged {
    std::string name;
    Bytes words, key;
    std::int32_t step;
    std::uint64_t group;
    bool alone;

    bbipc_proof view() const {
        bbipc_proof proof{};
        bbipc_verdict verdict;
        CHECK(bbipc_proof_split(words.size() / 32, words.size() / 32 - 1242, proof.count, &verdict) == BBIPC_OK);
        const std::uint8_t* next = words.data();
        for (std::size_t i = 0; i < 5; ++i) {
            proof.part[i] = next;
            next += 32 * proof.count[i];
        }
        return proof;
    }
    bool is_valid() const { return step == BBIPC_STEP_IPA + 1; }
    bool is_found(const bbipc_verdict& v) const {
        // Without a step it cannot be read, and is otherwise a valid proof.
        const bool found = step == BBIPC_STEP_NONE ? v.outcome == BBIPC_ERROR
                           : is_valid()            ? v.outcome == BBIPC_VALID
                                                   : v.outcome == BBIPC_INVALID && v.step == step;
        if (!found) {
            std::fprintf(stderr, "  %s: outcome %d, step %d instead of %d: %s\n", name.c_str(), v.outcome, v.step, step,
                         v.message);
        }
        return found;
    }
};

std::vector<bbipc_verdict> verify_together(const Core& core, const std::vector<const Forged*>& proofs) {
    std::vector<bbipc_proof> views;
    std::vector<const std::uint8_t*> keys;
    std::vector<std::uint64_t> lengths;
    for (const Forged* f : proofs) {
        views.push_back(f->view());
        keys.push_back(f->key.data());
        lengths.push_back(f->key.size());
    }
    std::vector<bbipc_verdict> verdicts(proofs.size());
    bbipc_verify_many(core.get(), views.data(), keys.data(), lengths.data(), views.size(), 0, 2, nullptr, verdicts.data());
    return verdicts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
        return 2;
    }
    Bytes g2_x, translator_key;
    std::vector<Forged> bases, forged;
    for (const TestCase& test : CaseFile(argv[1]).cases) {
        if (test.kind == "setup") g2_x = test.bytes("g2_x"), translator_key = test.bytes("translator_key");
        if (test.kind == "proof")
            bases.push_back({test.label, test.bytes("fields"), test.bytes("vk"), BBIPC_STEP_NONE, 0, true});
        if (test.kind != "forged") continue;
        Forged f = bases.at(test.values.at("flow")[0].limb[0]);
        f.name = test.label;
        f.step = static_cast<std::int32_t>(test.values.at("step")[0].limb[0]);
        f.alone = test.values.at("alone")[0].limb[0] != 0;
        f.group = test.values.at("group")[0].limb[0];
        const auto &indices = test.values.at("indices"), &values = test.values.at("values");
        CHECK(!indices.empty() && indices.size() == values.size());
        for (std::size_t i = 0; i < indices.size(); ++i) store_be(&f.words[32 * indices[i].limb[0]], values[i]);
        const auto &places = test.values.at("key_indices"), &words = test.values.at("key_values");
        CHECK(places.size() == words.size());
        for (std::size_t i = 0; i < places.size(); ++i) store_be(&f.key[32 * places[i].limb[0]], words[i]);
        forged.push_back(f);
    }
    CHECK(forged.size() >= 100);
    const Core core = make_core(paths_under_test()[0], g2_x.data(), translator_key.data());
    CHECK(core != nullptr);

    // fuzz/test_forge.py judges each of the others alone, too.
    for (const Forged& f : forged) {
        if (!f.alone) continue;
        const Rule rule(f.name.c_str());
        bbipc_verdict verdict;
        const bbipc_proof proof = f.view();
        bbipc_verify(core.get(), &proof, f.key.data(), f.key.size(), 0, 1, nullptr, &verdict);
        CHECK(f.is_found(verdict));
    }
    std::map<std::uint64_t, std::vector<const Forged*>> groups;
    for (const Forged& f : forged) {
        if (f.group != 0) groups[f.group].push_back(&f);
    }
    for (const auto& [number, group] : groups) {
        const std::string text = "00.7, errors that cancel each other: " + group[0]->name;
        const Rule rule(text.c_str());
        CHECK(group.size() >= 2);
        const auto verdicts = verify_together(core, group);
        for (std::size_t i = 0; i < group.size(); ++i) CHECK(group[i]->is_found(verdicts[i]));
    }
    std::vector<const Forged*> all;
    for (const Forged& f : forged) all.push_back(&f);
    const Rule rule("00.7, all forged proofs in one batch");
    const auto verdicts = verify_together(core, all);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i]->is_found(verdicts[i]));
    return check_result();
}
