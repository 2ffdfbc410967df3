// Poseidon2 against the values of chapter 02 section 2 and against the permutation written with plain matrices.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "../field/hex.hpp"
#include "../hash/hash_chains.hpp"
#include "../hash/poseidon2.hpp"
#include "../hash/poseidon2_constants.hpp"
#include "../hash/poseidon2_ifma.hpp"
#include "check.hpp"
#include "random_elements.hpp"

using namespace bbipc;

namespace {

RandomElements generator(2);  // any seed must do; a fixed one makes failures reproducible

Fr random_element() { return generator.element<Fr>(); }

using State = std::array<Fr, 4>;

// Matrix times column.
State multiply(const std::array<State, 4>& matrix, const State& s) {
    State r{};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) r[i] += matrix[i][j] * s[j];
    }
    return r;
}

std::array<State, 4> external_matrix() {
    constexpr u64 rows[4][4] = {{5, 7, 1, 3}, {4, 6, 1, 1}, {1, 3, 5, 7}, {1, 1, 4, 6}};
    std::array<State, 4> m;
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) m[i][j] = Fr::from_u64(rows[i][j]);
    }
    return m;
}

std::array<State, 4> internal_matrix() {
    std::array<State, 4> m;
    for (std::size_t i = 0; i < 4; ++i) {
        m[i].fill(Fr::one());
        m[i][i] += poseidon2_constants::diagonal_minus_one[i];
    }
    return m;
}

Fr s_box(const Fr& x) { return x.pow(U256{{5, 0, 0, 0}}); }

// The permutation as chapter 02 section 1 writes it.
State reference_permute(State s) {
    const std::array<State, 4> external = external_matrix(), internal = internal_matrix();
    const auto external_round = [&](std::size_t k) {
        for (std::size_t i = 0; i < 4; ++i) s[i] = s_box(s[i] + poseidon2_constants::external_round[k][i]);
        s = multiply(external, s);
    };
    s = multiply(external, s);
    for (std::size_t k = 0; k < 4; ++k) external_round(k);
    for (const Fr& constant : poseidon2_constants::internal_round) {
        s[0] = s_box(s[0] + constant);
        s = multiply(internal, s);
    }
    for (std::size_t k = 4; k < 8; ++k) external_round(k);
    return s;
}

State permuted(State s) {
    Fr lanes[4] = {s[0], s[1], s[2], s[3]};
    poseidon2_permute(lanes);
    return {lanes[0], lanes[1], lanes[2], lanes[3]};
}

// Section 2, one block at a time.
Fr reference_hash(const std::vector<Fr>& input) {
    std::vector<Fr> padded = input;
    while (padded.size() % 3 != 0 || padded.empty()) padded.push_back(Fr::zero());
    State s{Fr::zero(), Fr::zero(), Fr::zero(), Fr::from_u64(input.size()) * Fr::from_int(U256{{0, 1, 0, 0}})};
    for (std::size_t i = 0; i < padded.size(); i += 3) {
        for (std::size_t lane = 0; lane < 3; ++lane) s[lane] += padded[i + lane];
        s = reference_permute(s);
    }
    return s[0];
}

std::vector<Fr> counting(u64 first, u64 last) {
    std::vector<Fr> v;
    for (u64 i = first; i <= last; ++i) v.push_back(Fr::from_u64(i));
    return v;
}

void test_published_values() {
    const Rule rule("02.1 and 02.2, published values");
    const State s = permuted({Fr::zero(), Fr::one(), Fr::from_u64(2), Fr::from_u64(3)});
    CHECK(s[0] == hex_element<Fr>("01bd538c2ee014ed5141b29e9ae240bf8db3fe5b9a38629a9647cf8d76c01737"));
    CHECK(s[1] == hex_element<Fr>("239b62e7db98aa3a2a8f6a0d2fa1709e7a35959aa6c7034814d9daa90cbac662"));
    CHECK(s[2] == hex_element<Fr>("04cbb44c61d928ed06808456bf758cbf0c18d1e15a7b6dbc8245fa7515d5e3cb"));
    CHECK(s[3] == hex_element<Fr>("2e11c5cff2a22c64d01304b778d78f6998eff1ab73163a35603f54794c30847a"));
    const auto hash = [](const std::vector<Fr>& input) { return poseidon2_hash(input); };
    CHECK(hash({}) == hex_element<Fr>("18dfb8dc9b82229cff974efefc8df78b1ce96d9d844236b496785c698bc6732e"));
    CHECK(hash(counting(0, 0)) == hex_element<Fr>("2710144414c3a5f2354f4c08d52ed655b9fe253b4bf12cb9ad3de693d9b1db11"));
    CHECK(hash(counting(1, 1)) == hex_element<Fr>("168758332d5b3e2d13be8048c8011b454590e06c44bce7f702f09103eef5a373"));
    CHECK(hash(counting(1, 3)) == hex_element<Fr>("23864adb160dddf590f1d3303683ebcb914f828e2635f6e85a32f0a1aecd3dd8"));
    CHECK(hash(counting(1, 4)) == hex_element<Fr>("130bf204a32cac1f0ace56c78b731aa3809f06df2731ebcf6b3464a15788b1b9"));
    CHECK(hash(counting(1, 7)) == hex_element<Fr>("16f929bc0d216df4b05bdc44222463edf2b9791bd949ab926eebda06a502d238"));
}

void test_random_states() {
    const Rule rule("02.1, the permutation");
    for (int i = 0; i < 500; ++i) {
        const State s{random_element(), random_element(), random_element(), random_element()};
        CHECK(permuted(s) == reference_permute(s));
    }
}

// Every lane 0, 1 or -1: the extremes of carries and reductions.
void test_extreme_states() {
    const Rule rule("02.1, the permutation");
    const Fr values[3] = {Fr::zero(), Fr::one(), -Fr::one()};
    for (const Fr& a : values) {
        for (const Fr& b : values) {
            for (const Fr& c : values) {
                for (const Fr& d : values) CHECK(permuted({a, b, c, d}) == reference_permute({a, b, c, d}));
            }
        }
    }
}

void test_lengths() {
    const Rule rule("02.2, the hash of each length");
    std::vector<Fr> input;
    for (int length = 0; length <= 20; ++length, input.push_back(random_element())) {
        CHECK(poseidon2_hash(input) == reference_hash(input));
    }
}

#if BBIPC_ADX_FIELD
// Eight lanes.

using EightStates = Fr[poseidon2_lanes][4];

// The first lane in which `permute` gives something else than the scalar permutation.
std::optional<std::size_t> wrong_lane(const std::function<void(EightStates&)>& permute, const std::array<State, 8>& states) {
    EightStates lanes;
    for (std::size_t i = 0; i < 8; ++i) std::copy(states[i].begin(), states[i].end(), lanes[i]);
    permute(lanes);
    for (std::size_t i = 0; i < 8; ++i) {
        if (!std::ranges::equal(lanes[i], permuted(states[i]))) return i;
    }
    return std::nullopt;
}

State random_state() { return {random_element(), random_element(), random_element(), random_element()}; }

// States of every kind: random ones, edges of the field, equal lanes, and lanes that differ in one place.
std::vector<std::array<State, 8>> eight_states() {
    std::vector<std::array<State, 8>> all;
    for (int i = 0; i < 300; ++i) {
        auto& states = all.emplace_back();
        for (State& s : states) s = random_state();
    }
    const std::vector<Fr> edges = edge_elements<Fr>();
    for (std::size_t i = 0; i < 300; ++i) {
        auto& states = all.emplace_back();
        for (State& s : states) {
            for (Fr& element : s) element = edges[generator.word() % edges.size()];
        }
    }
    for (const Fr& value : {Fr::zero(), Fr::one(), -Fr::one()}) {
        auto& states = all.emplace_back();
        for (State& s : states) s.fill(value);  // every lane 0, 1, p - 1
    }
    for (std::size_t lane = 0; lane < 8; ++lane) {
        auto& states = all.emplace_back();
        states.fill(random_state());
        states[lane][generator.word() % 4] += Fr::one();
    }
    return all;
}

void test_lanes() {
    const Rule rule("02.1, the permutation in lanes");
    for (const auto& states : eight_states()) CHECK(!wrong_lane(poseidon2_permute_ifma, states));
}

// Is a bug in one lane seen? Each of these is planted, and must be found, in its lane.
void test_planted_bugs() {
    const Rule rule("02.1, the permutation in lanes");
    struct Planted {
        const char* what;
        std::size_t lane;
        std::function<void(EightStates&)> permute;
    };
    const std::vector<Planted> bugs = {
        {"lane 5 reads the state of lane 4", 5,
         [](EightStates& s) {
             std::copy(std::begin(s[4]), std::end(s[4]), s[5]);
             poseidon2_permute_ifma(s);
         }},
        {"lane 2 is written with the result of lane 3", 2,
         [](EightStates& s) {
             poseidon2_permute_ifma(s);
             std::copy(std::begin(s[3]), std::end(s[3]), s[2]);
         }},
        {"lane 7 loses its last element", 7,
         [](EightStates& s) {
             s[7][3] = Fr::zero();
             poseidon2_permute_ifma(s);
         }},
        {"lane 0 is not reduced", 0,
         [](EightStates& s) {
             poseidon2_permute_ifma(s);
             add_carry(s[0][1].m, s[0][1].m, Fr::modulus);
         }},
    };
    const auto all = eight_states();
    for (const Planted& bug : bugs) {
        const auto found = wrong_lane(bug.permute, all[0]);
        CHECK(found == bug.lane);
        if (found != bug.lane) std::fprintf(stderr, "  not found: %s\n", bug.what);
    }
}
#endif

// Messages of all lengths, so that lanes end at different times and are filled again, in any number.
void test_hash_many(LanePath path) {
    const Rule rule("02.2, several hashes at once");
    for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 8U, 9U, 15U, 40U}) {
        std::vector<std::vector<Fr>> messages(count);
        for (auto& message : messages) {
            message.resize(generator.word() % 24);
            for (Fr& element : message) element = random_element();
        }
        const std::vector<std::span<const Fr>> views(messages.begin(), messages.end());
        std::vector<Fr> hashes(count);
        poseidon2_hash_many(views, path, hashes);
        for (std::size_t i = 0; i < count; ++i) CHECK(hashes[i] == poseidon2_hash(messages[i]));
    }
}

// Chains of different numbers of hashes, some of none at all; each hash begins the next message.
class TestChains final : public HashChains {
  public:
    explicit TestChains(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            left_.push_back(generator.word() % 5);
            messages_.push_back({random_element()});
        }
    }

    bool next(std::size_t chain, const Fr* previous, std::span<const Fr>& message) override {
        if (previous != nullptr) {
            CHECK(*previous == poseidon2_hash(messages_[chain]));
            messages_[chain].push_back(*previous);
            ++hashes_;
        }
        if (left_[chain] == 0) return false;
        --left_[chain];
        message = messages_[chain];
        return true;
    }

    std::size_t left() const {
        std::size_t sum = 0;
        for (const std::size_t n : left_) sum += n;
        return sum;
    }
    std::size_t hashes() const { return hashes_; }

  private:
    std::vector<std::size_t> left_;
    std::vector<std::vector<Fr>> messages_;
    std::size_t hashes_ = 0;
};

void test_chains(LanePath path) {
    const Rule rule("02.4, chains of hashes");
    for (std::size_t count = 0; count <= 20; ++count) {
        TestChains chains(count);
        const std::size_t expected = chains.left();
        run_hash_chains(chains, count, path);
        CHECK(chains.left() == 0 && chains.hashes() == expected);
    }
}

}  // namespace

int main() {
    test_published_values();
    test_random_states();
    test_extreme_states();
    test_lengths();
    test_hash_many(LanePath::scalar);
    test_chains(LanePath::scalar);
#if BBIPC_ADX_FIELD
    if (ifma_supported()) {
        test_lanes();
        test_planted_bugs();
        test_hash_many(LanePath::ifma);
        test_chains(LanePath::ifma);
    }
#endif
    return check_result();
}
