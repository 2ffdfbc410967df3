// Poseidon2 against the values of chapter 02 section 2 and against the permutation written with plain matrices.
#include <array>
#include <vector>

#include "../field/hex.hpp"
#include "../hash/poseidon2.hpp"
#include "../hash/poseidon2_constants.hpp"
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
    for (int i = 0; i < 500; ++i) {
        const State s{random_element(), random_element(), random_element(), random_element()};
        CHECK(permuted(s) == reference_permute(s));
    }
}

// Every lane 0, 1 or -1: the extremes of carries and reductions.
void test_extreme_states() {
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
    std::vector<Fr> input;
    for (int length = 0; length <= 20; ++length, input.push_back(random_element())) {
        CHECK(poseidon2_hash(input) == reference_hash(input));
    }
}

}  // namespace

int main() {
    test_published_values();
    test_random_states();
    test_extreme_states();
    test_lengths();
    return check_result();
}
