// The relations of chapters 08, 11 and 12 against the vectors of the specification and a reference in Python at random points.
// Argument: the file that tests/reference/relation_cases.py writes.
#include <string>

#include "../relations/eccvm.hpp"
#include "../relations/mega.hpp"
#include "../relations/sumcheck_factors.hpp"
#include "../relations/translator.hpp"
#include "case_file.hpp"
#include "check.hpp"

using namespace bbipc;

namespace {

template <std::size_t N, class F>
std::span<const F, N> fixed(const std::vector<F>& values) {
    return std::span<const F, N>(values);
}

// Every value counts as a check of its own; a wrong one is named.
template <class F>
void compare(const TestCase& test, const std::string& what, const std::vector<std::string>* names,
             std::span<const F> computed) {
    const std::vector<F> expected = test.elements<F>(what, computed.size());
    if (names != nullptr) CHECK(names->size() == computed.size());
    for (std::size_t i = 0; i < computed.size(); ++i) {
        const bool equal = computed[i] == expected[i];
        CHECK(equal);
        if (equal) continue;
        std::fprintf(stderr, "  %s %s: %s %zu %s\n", test.kind.c_str(), test.label.c_str(), what.c_str(), i,
                     names != nullptr ? (*names)[i].c_str() : "");
    }
}

template <class F>
void compare(const TestCase& test, const std::string& what, const F& computed) {
    compare<F>(test, what, nullptr, std::span<const F>(&computed, 1));
}

template <std::size_t N>
std::vector<Fr> plain(const translator::Value (&values)[N]) {
    std::vector<Fr> result;
    for (const translator::Value& v : values) result.push_back(v.value);
    return result;
}

void append(std::vector<Fr>& to, const std::vector<Fr>& values) { to.insert(to.end(), values.begin(), values.end()); }

void check_eccvm(const TestCase& test, const std::vector<std::string>& names) {
    const Rule rule("08, the 159 subrelations of ECCVM");
    const auto evaluations = test.elements<Fq>("evaluations", eccvm::evaluations);
    const auto u = test.elements<Fq>("u", 15);
    const Fq beta = test.element<Fq>("beta"), gamma = test.element<Fq>("gamma");
    Fq values[eccvm::subrelations];
    CHECK(eccvm_subrelations(fixed<eccvm::evaluations>(evaluations), beta, gamma, values));
    compare<Fq>(test, "subrelations", &names, values);
    const Fq separator = gate_separator<Fq>(u, test.element<Fq>("gate"));
    compare(test, "separator", separator);
    compare(test, "first_rows", first_rows_indicator<Fq>(u));
    compare(test, "batched", eccvm_batched_relation(values, test.element<Fq>("alpha"), separator));
}

// Each of the four factors of 8.2 in turn is zero: no delta, no verdict but rejection.
void check_eccvm_rejection(const TestCase& test) {
    const Rule rule("08.2, zero denominators");
    const auto evaluations = test.elements<Fq>("evaluations", eccvm::evaluations);
    const Fq beta = test.element<Fq>("beta"), beta2 = beta.sqr(), beta4 = beta2.sqr();
    Fq values[eccvm::subrelations];
    Fq gamma = -beta4;
    for (int i = 0; i < 4; ++i, gamma -= beta2) {
        CHECK(!eccvm_subrelations(fixed<eccvm::evaluations>(evaluations), beta, gamma, values));
        CHECK(eccvm_subrelations(fixed<eccvm::evaluations>(evaluations), beta, gamma + Fq::one(), values));
    }
}

Fr check_mega(const TestCase& test, const std::vector<std::string>& names, const Fr& separator, const Fr& first_rows) {
    const auto evaluations = test.elements<Fr>("mega", mega::evaluations);
    Fr values[mega::subrelations];
    mega_subrelations(fixed<mega::evaluations>(evaluations), test.element<Fr>("mega_beta"), test.element<Fr>("mega_gamma"),
                      test.element<Fr>("delta"), values);
    compare<Fr>(test, "mega_subrelations", &names, values);
    const Fr value = mega_batched_relation(values, test.element<Fr>("alpha"), separator, first_rows);
    compare(test, "mega_value", value);
    return value;
}

void check_translator_evaluations(const TestCase& test, const translator::Evaluations& e) {
    const Rule rule("12, evaluations of the translator");
    struct Minicircuit {
        translator::Wires wires, shift;
    };
    using Flat = std::array<Fr, translator::minicircuit_evaluations>;
    compare<Fr>(test, "minicircuit_full", nullptr, std::bit_cast<Flat>(Minicircuit{e.wires, e.wires_shift}));
    compare<Fr>(test, "full_size", nullptr, std::bit_cast<std::array<Fr, translator::full_size_evaluations>>(e.full_size));
    compare<Fr>(test, "indicators", nullptr, std::bit_cast<std::array<Fr, 10>>(e.indicators));
    compare<Fr>(test, "concatenated", nullptr, e.concatenated);
    compare<Fr>(test, "concatenated_shift", nullptr, e.concatenated_shift);
}

Fr check_translator(const TestCase& test, const std::vector<std::string>& names, const Fr& separator) {
    const auto minicircuit = test.elements<Fr>("minicircuit", translator::minicircuit_evaluations);
    const auto full_size = test.elements<Fr>("full_size", translator::full_size_evaluations);
    const auto u = test.elements<Fr>("u", translator::rounds);
    const translator::Evaluations e =
        translator_evaluations(fixed<translator::minicircuit_evaluations>(minicircuit),
                               fixed<translator::full_size_evaluations>(full_size), fixed<translator::rounds>(u));
    check_translator_evaluations(test, e);
    const translator::Parameters p =
        translator_parameters(test.element<Fq>("x"), test.element<Fq>("v"), test.element<Fq>("acc"), test.element<Fr>("beta"),
                              test.element<Fr>("gamma"));
    std::vector<Fr> parameters = plain(p.x);
    for (const auto& limbs : p.v) append(parameters, plain(limbs));
    append(parameters, plain(p.acc));
    compare<Fr>(test, "parameters", nullptr, parameters);

    Fr values[translator::subrelations];
    translator_subrelations(e, p, values);
    compare<Fr>(test, "translator_subrelations", &names, values);
    const Fr value = translator_batched_relation(values, test.element<Fr>("alpha"), separator);
    compare(test, "translator_value", value);
    return value;
}

void check_joint(const TestCase& test, const CaseFile& file) {
    const Rule rule("11 and 12, the 44 + 154 subrelations of the joint sumcheck");
    const auto u = test.elements<Fr>("u", translator::rounds);
    const Fr separator = gate_separator<Fr>(u, test.element<Fr>("gate")), first_rows = first_rows_indicator<Fr>(u);
    compare(test, "separator", separator);
    compare(test, "first_rows", first_rows);
    const Fr mega_value = check_mega(test, file.names.at("mega"), separator, first_rows);
    const Fr translator_value = check_translator(test, file.names.at("translator"), separator);
    const Fr alpha_44 = test.element<Fr>("alpha").pow(U256{{mega::subrelations, 0, 0, 0}});
    compare(test, "final_claim",
            mega_value + alpha_44 * translator_value + test.element<Fr>("e_lib") * test.element<Fr>("lambda"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: test_relations CASES\n");
        return 2;
    }
    const CaseFile file(argv[1]);
    for (const TestCase& test : file.cases) {
        if (test.kind == "eccvm") {
            check_eccvm(test, file.names.at("eccvm"));
            check_eccvm_rejection(test);
        } else {
            CHECK(test.kind == "joint");
            check_joint(test, file);
        }
    }
    return check_result();
}
