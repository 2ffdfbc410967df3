// libFuzzer: edits of a real proof, with soundness as the oracle.
//
// Input: up to 6 edits of 36 bytes, applied in turn to the proof and key of flow1 (tests/data). An edit sets, adds to or copies
// a word, negates or removes a point, moves a border between parts, or changes the key; the custom mutator aims edits at whole
// items (chapter 03 section 2), most of them so that decoding succeeds and the checks decide. A result that is not the same
// proof in another split must not be valid; one that is must be.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bbipc_core.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

constexpr size_t word_size = 32, edit_size = 36, max_edits = 6, key_words = 115, parts = 5;

using Word = std::array<uint8_t, word_size>;
using Words = std::vector<Word>;

enum Operation : uint8_t {
    // clang-format off
    SET, ADD, COPY, SWAP, NEGATE, INFINITY_, BORDER, KEY_SET, KEY_ADD, KEY_COPY, OTHER_PROOF, OPERATIONS
    // clang-format on
};

// op (1), words (1), position (2, little-endian), value (32)
struct Edit {
    uint8_t operation, count;
    uint16_t position;
    Word value;
};
static_assert(sizeof(Edit) == edit_size);

struct Proof {
    Words words;                        // the flat proof
    std::array<uint64_t, parts> count;  // and how it is split
    Words key;
};

void demand(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

Words read_words(const std::string& name) {
    std::FILE* const file = std::fopen((std::string(BBIPC_TEST_DATA) + "/" + name).c_str(), "rb");
    demand(file != nullptr, "the test data can be read");
    Words words;
    for (Word word; std::fread(word.data(), 1, word_size, file) == word_size;) words.push_back(word);
    std::fclose(file);
    return words;
}

Proof read_proof(const std::string& flow) {
    Proof proof{read_words(flow + "/proof_fields.bin"), {}, read_words(flow + "/vk")};
    bbipc_verdict verdict;
    demand(bbipc_proof_split(proof.words.size(), proof.words.size() - 1242, proof.count.data(), &verdict) == BBIPC_OK,
           "a fixture can be split");
    return proof;
}

const Proof& base() {
    static const Proof proof = read_proof("flow1");
    return proof;
}

const Proof& other() {
    static const Proof proof = read_proof("flow2");
    return proof;
}

uint8_t digit(char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); }

// The hex digits behind `name` in the JSON file of the test setup.
std::vector<uint8_t> setup_value(const std::string& text, const std::string& name, size_t size) {
    size_t at = text.find('"', text.find(':', text.find('"' + name + '"')) + 1) + 1;
    if (text.compare(at, 2, "0x") == 0) at += 2;
    std::vector<uint8_t> value(size);
    for (size_t i = 0; i < size; ++i, at += 2) value[i] = static_cast<uint8_t>(digit(text[at]) << 4 | digit(text[at + 1]));
    return value;
}

const bbipc_core* make_core() {
    std::string text(4096, '\0');
    std::FILE* const file = std::fopen(BBIPC_TEST_DATA "/test_setup.json", "rb");
    demand(file != nullptr, "the test setup can be read");
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    const auto g2 = setup_value(text, "g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1", 128);
    text.erase(0, text.find("\"translator_vk_commitment_test\""));
    auto key = setup_value(text, "x", 32);
    const auto y = setup_value(text, "y", 32);
    key.insert(key.end(), y.begin(), y.end());
    const bbipc_core* const core = bbipc_core_new(g2.data(), key.data(), BBIPC_ARITH_AUTO, nullptr);
    demand(core != nullptr, "the test setup is accepted");
    return core;
}

const bbipc_core* core() {
    static const bbipc_core* const instance = make_core();
    return instance;
}

void add(Word& word, const Word& value) {
    unsigned carry = 0;
    for (size_t i = word_size; i-- > 0; carry >>= 8) {
        carry += word[i] + value[i];
        word[i] = static_cast<uint8_t>(carry);
    }
}

// Negate a field element in place if it is canonical.
void negate(Word& word, int32_t field) { bbipc_field_op(core(), field, BBIPC_NEG, word.data(), nullptr, word.data()); }

// Negate the two-limb Fq value at `at`.
void negate_limbs(Words& words, size_t at) {
    Word value = words[at], high = words[at + 1];
    for (size_t i = 0; i < 15; ++i) value[i] = high[i + 17];  // high limb above bit 136
    negate(value, BBIPC_FQ);
    words[at].fill(0);
    words[at + 1].fill(0);
    std::copy(value.begin() + 15, value.end(), words[at].begin() + 15);
    std::copy(value.begin(), value.begin() + 15, words[at + 1].begin() + 17);
}

void move_border(Proof& proof, unsigned border, int by) {
    uint64_t& left = proof.count[border];
    uint64_t& right = proof.count[border + 1];
    const int64_t moved = std::clamp<int64_t>(by, -static_cast<int64_t>(left), static_cast<int64_t>(right));
    left += static_cast<uint64_t>(moved);
    right -= static_cast<uint64_t>(moved);
}

void apply(Proof& proof, const Edit& edit) {
    Words& words = proof.words;
    const auto place = [](const Words& of, size_t index) { return of.begin() + static_cast<ptrdiff_t>(index); };
    const size_t at = edit.position % words.size(), count = std::min<size_t>(1 + edit.count % 4, words.size() - at);
    const size_t source = (edit.value[0] << 8 | edit.value[1]) % (words.size() - count + 1);
    const size_t key_at = edit.position % key_words;
    switch (edit.operation % OPERATIONS) {
        case SET: words[at] = edit.value; break;
        case ADD: add(words[at], edit.value); break;
        case COPY: {
            const Words before = words;
            std::copy_n(place(before, source), count, &words[at]);
            break;
        }
        case SWAP: std::swap(words[at], words[source]); break;
        case NEGATE:
            if (count == 4) negate_limbs(words, at + 2);
            else negate(words[at + count - 1], BBIPC_FR);
            break;
        case INFINITY_: std::fill_n(&words[at], count, Word{}); break;
        case BORDER: move_border(proof, edit.count % 4, static_cast<int8_t>(edit.value[0])); break;
        case KEY_SET: proof.key[key_at] = edit.value; break;
        case KEY_ADD: add(proof.key[key_at], edit.value); break;
        case KEY_COPY: proof.key[key_at] = proof.key[source % key_words]; break;
        default: std::copy_n(place(other().words, at), count, &words[at]); break;
    }
}

// The key as chapter 03 section 1 decodes it: modulo r, the first three words modulo 2^64.
Words decoded(const Words& key) {
    Words result(key.size());
    for (size_t i = 0; i < key.size(); ++i) {
        uint8_t wide[64] = {};
        std::copy(key[i].begin(), key[i].end(), wide + 32);
        bbipc_field_reduce512(core(), BBIPC_FR, wide, result[i].data());
        if (i < 3) std::fill_n(result[i].begin(), 24, uint8_t{0});
    }
    return result;
}

// Whether a verifier that reads the parts as one stream (chapter 00 section 6) sees the unchanged proof.
bool is_unchanged(const Proof& proof) {
    const auto& counts = base().count;
    const auto start_of_ipa = [](const Proof& p) { return p.count[0] + p.count[1] + p.count[2]; };
    return proof.words == base().words && proof.count[0] == counts[0] && proof.count[3] == counts[3] &&
           start_of_ipa(proof) == start_of_ipa(base()) && decoded(proof.key) == decoded(base().key);
}

// Whether moving borders can have made an earlier step run out of words, which is an error.
bool runs_short(const Proof& proof) {
    uint64_t have = 0, need = 0;
    for (unsigned part : {0U, 1U, 2U, 4U}) {
        have += proof.count[part];
        need += base().count[part];
        if (have < need) return true;
    }
    return false;
}

bbipc_verdict judge(const Proof& proof, bool together) {
    bbipc_proof view{};
    uint64_t start = 0;
    for (unsigned i = 0; i < parts; ++i) {
        view.part[i] = proof.words[0].data() + word_size * start;
        view.count[i] = proof.count[i];
        start += proof.count[i];
    }
    bbipc_verdict verdict;
    const uint8_t* const key = proof.key[0].data();
    if (!together) {
        bbipc_verify(core(), &view, key, word_size * proof.key.size(), 0, 1, nullptr, &verdict);
        return verdict;
    }
    bbipc_claim* const claim = bbipc_reduce(core(), &view, key, word_size * proof.key.size(), 0, nullptr);
    demand(claim != nullptr, "there is memory");
    bbipc_check(core(), &claim, 1, 1, nullptr, &verdict);
    bbipc_claim_free(claim);
    return verdict;
}

size_t random_below(unsigned& state, size_t bound) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % bound;
}

// An item of a proof (chapter 03 section 2): s, S, c or C there, which are 1, 2, 4 or 2 words.
struct Item {
    uint16_t start;
    char kind;

    uint8_t size() const { return kind == 's' ? 1 : kind == 'c' ? 4 : 2; }
};
using Items = std::vector<Item>;

// The items of each part.
const std::array<Items, parts>& items() {
    static const auto table = [] {
        const auto times = [](size_t count, const std::string& text) {
            std::string result;
            while (count-- > 0) result += text;
            return result;
        };
        const std::string shapes[parts] = {
            times(base().count[0] - 48 - 28, "s") + times(7 + 12, "c"),  // the last 28 public inputs are 7 points
            times(5, "c") + times(13, "s") + times(2, "c"),
            times(90, "C") + "S" + times(15, "CSS") + times(120, "S") + times(16, "C") + times(19, "S") + "CCSSSSSSCCSSSSC",
            times(31, "C") + "S",
            times(13, "c") + "s" + times(13, "css") + times(154, "s") + times(4, "css") + times(67, "s") + times(18, "c") +
                times(21, "s") + times(2, "c"),
        };
        std::array<Items, parts> result;
        uint16_t start = 0;
        for (size_t part = 0; part < parts; ++part) {
            for (const char kind : shapes[part]) {
                result[part].push_back({start, kind});
                start = static_cast<uint16_t>(start + result[part].back().size());
            }
        }
        demand(start == base().words.size(), "the table of items covers the proof");
        return result;
    }();
    return table;
}

// Any item, of any part: short parts are as likely as long ones.
Item random_item(unsigned& state) {
    const Items& part = items()[random_below(state, parts)];
    return part[random_below(state, part.size())];
}

Item random_item_of_kind(unsigned& state, char kind) {
    for (;;) {
        if (const Item item = random_item(state); item.kind == kind) return item;
    }
}

void set_source(Edit& edit, const Item& item) {
    edit.value[0] = static_cast<uint8_t>(item.start >> 8);
    edit.value[1] = static_cast<uint8_t>(item.start);
}

// An edit after which the proof can still be decoded, so that the checks behind have something to decide.
Edit decodable_edit(unsigned& state) {
    const Item item = random_item(state);
    Edit edit{};
    edit.position = item.start;
    edit.count = static_cast<uint8_t>(item.size() - 1);
    const bool is_point = item.kind == 'c' || item.kind == 'C';
    switch (random_below(state, 4)) {
        case 0:
            edit.operation = COPY;
            set_source(edit, random_item_of_kind(state, item.kind));
            break;
        case 1: edit.operation = OTHER_PROOF; break;
        case 2:
            edit.operation = is_point ? NEGATE : ADD;
            edit.value[31] = 1;
            break;
        default:
            edit.operation = is_point ? INFINITY_ : SET;
            for (size_t i = item.kind == 's' ? 1 : 16; i < word_size; ++i) {  // below r, or a low limb
                edit.value[i] = static_cast<uint8_t>(random_below(state, 256));
            }
            break;
    }
    return edit;
}

Edit random_edit(unsigned& state) {
    Edit edit{};
    edit.operation = static_cast<uint8_t>(random_below(state, OPERATIONS));
    const Item item = random_item(state);
    edit.position = item.start;
    edit.count = static_cast<uint8_t>(item.size() - 1);
    for (uint8_t& byte : edit.value) byte = static_cast<uint8_t>(random_below(state, 256));
    switch (random_below(state, 4)) {
        case 0:  // a small difference
            edit.value.fill(0);
            edit.value[31] = 1;
            break;
        case 1: edit.value = base().words[random_below(state, base().words.size())]; break;
        case 2: edit.value[0] &= 0x1f; break;  // canonical
        default: break;
    }
    if (edit.operation == COPY || edit.operation == SWAP) set_source(edit, random_item(state));
    return edit;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
    size_t count = std::min(size / edit_size, max_edits);
    if (edit_size > max_size) return LLVMFuzzerMutate(data, size, max_size);
    const size_t room = std::min(max_size / edit_size, max_edits);
    const size_t choice = random_below(seed, 8);
    if (choice == 0 && count > 0) return edit_size * (count - 1);
    if (choice == 1 && count > 0) {  // any bytes of one edit
        LLVMFuzzerMutate(data + edit_size * random_below(seed, count), edit_size, edit_size);
        return edit_size * count;
    }
    const size_t at = choice < 5 && count > 0 ? random_below(seed, count) : std::min(count, room - 1);
    const Edit edit = random_below(seed, 8) != 0 ? decodable_edit(seed) : random_edit(seed);
    std::memcpy(data + edit_size * at, &edit, edit_size);
    return edit_size * std::max(count, at + 1);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Proof proof = base();
    for (size_t i = 0; i < std::min(size / edit_size, max_edits); ++i) {
        Edit edit;
        std::memcpy(&edit, data + edit_size * i, edit_size);
        apply(proof, edit);
    }
    const bbipc_verdict verdict = judge(proof, true);
    demand(verdict.outcome == BBIPC_VALID || verdict.outcome == BBIPC_INVALID || verdict.outcome == BBIPC_ERROR, "an outcome");
    const bool unchanged = is_unchanged(proof);
    demand(unchanged || verdict.outcome != BBIPC_VALID, "a changed proof is not valid");
    demand(!unchanged || verdict.outcome == (runs_short(proof) ? BBIPC_ERROR : BBIPC_VALID), "the unchanged proof is valid");
    if (size % 8 == 0) {
        const bbipc_verdict alone = judge(proof, false);
        demand(alone.outcome == verdict.outcome && alone.step == verdict.step && alone.part == verdict.part &&
                   alone.position == verdict.position && std::strcmp(alone.message, verdict.message) == 0,
               "both ways to verify agree");
    }
    return 0;
}
