#include "answer.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

#include "../engine/engine.hpp"
#include "../hash/blake2s.hpp"
#include "request.hpp"
#include "writer.hpp"

namespace bbipc::wire {
namespace {

constexpr std::size_t header_bytes = 4;

struct Answer {
    std::string_view response;
    std::string_view key;
    std::uint32_t work;  // about a microsecond each, on a machine of average speed
};

// In the order of BBIPC_CHEAP_...; what depends on the length of the input is in work_of().
constexpr Answer answers[BBIPC_CHEAP_COMMANDS] = {
    {"Poseidon2HashResponse", "hash", 1},
    {"Poseidon2PermutationResponse", "outputs", 10},
    {"Blake2sResponse", "hash", 1},
    {"Blake2sToFieldResponse", "field", 1},
    {"GrumpkinMulResponse", "point", 70},
    {"GrumpkinAddResponse", "point", 10},
    {"GrumpkinReduce512Response", "value", 1},
    {"Bn254FrSqrtResponse", "value", 25},
    {"Bn254FqSqrtResponse", "value", 25},
    {"Bn254G1MulResponse", "point", 70},
    {"Bn254G1IsOnCurveResponse", "is_on_curve", 5},
    {"Bn254G1FromCompressedResponse", "point", 25},
    {"SetMsmLegacyResponse", "enabled", 1},
};

std::uint32_t work_of(const Request& request) {
    const std::uint32_t work = answers[request.command].work;
    const auto size = static_cast<std::uint32_t>(request.value[0].size);
    switch (request.command) {
        case BBIPC_CHEAP_POSEIDON2_HASH: return work + 10 * (size / 96 + 1);  // three elements in each permutation
        case BBIPC_CHEAP_BLAKE2S:
        case BBIPC_CHEAP_BLAKE2S_TO_FIELD: return work + size / 256;
        default: return work;
    }
}

bool all_are(const std::uint8_t* data, std::size_t size, std::uint8_t value) {
    return std::all_of(data, data + size, [value](std::uint8_t byte) { return byte == value; });
}

// A point as the core writes it: infinity is (0, 0), which on the wire is a point off the curve.
bool to_native(const Value& point, std::uint8_t* native) {
    if (all_are(point.data, 64, 0)) return false;
    if (all_are(point.data, 64, 0xff)) {
        std::memset(native, 0, 64);
    } else {
        std::memcpy(native, point.data, 64);
    }
    return true;
}

void write_point(Writer& out, std::uint8_t* native) {
    if (all_are(native, 64, 0)) std::memset(native, 0xff, 64);
    out.map(2);
    out.text("x");
    out.word(native);
    out.text("y");
    out.word(native + 32);
}

// y^2 = x^3 + 3 for the x of bits 0 to 254; bit 255 tells whether y is odd.
bool decompress(const bbipc_core& core, const std::uint8_t* compressed, std::uint8_t* point) {
    std::uint8_t square[32], cube[32], three[32] = {};
    std::memcpy(point, compressed, 32);
    point[0] &= 0x7f;
    three[31] = 3;
    std::uint8_t* const y = point + 32;
    if (core.field_op(BBIPC_FQ, BBIPC_SQR, point, nullptr, square) != BBIPC_OK ||
        core.field_op(BBIPC_FQ, BBIPC_MUL, square, point, cube) != BBIPC_OK ||
        core.field_op(BBIPC_FQ, BBIPC_ADD, cube, three, square) != BBIPC_OK ||
        core.field_op(BBIPC_FQ, BBIPC_SQRT, square, nullptr, y) != BBIPC_OK) {
        return false;
    }
    if ((y[31] & 1) == compressed[0] >> 7) return true;
    std::memcpy(square, y, 32);
    return core.field_op(BBIPC_FQ, BBIPC_NEG, square, nullptr, y) == BBIPC_OK;
}

// The value of the response's field; false if the answer is an error.
bool write_value(const bbipc_core& core, const Request& request, Writer& out) {
    const Value &first = request.value[0], &second = request.value[1];
    std::uint8_t a[128], b[128], result[128];
    switch (request.command) {
        case BBIPC_CHEAP_POSEIDON2_PERMUTATION:
            if (core.poseidon2_permute(first.data, result) != BBIPC_OK) return false;
            out.array(4);
            for (unsigned i = 0; i < 4; ++i) out.word(result + 32 * i);
            return true;
        case BBIPC_CHEAP_BLAKE2S: blake2s(first.data, first.size, out.word_space()); return true;
        case BBIPC_CHEAP_BLAKE2S_TO_FIELD:
            std::memset(a, 0, 32);
            blake2s(first.data, first.size, a + 32);
            return core.field_reduce512(BBIPC_FR, a, out.word_space()) == BBIPC_OK;
        case BBIPC_CHEAP_GRUMPKIN_REDUCE512: return core.field_reduce512(BBIPC_FR, first.data, out.word_space()) == BBIPC_OK;
        case BBIPC_CHEAP_GRUMPKIN_MUL:
        case BBIPC_CHEAP_BN254_G1_MUL: {
            const int curve = request.command == BBIPC_CHEAP_GRUMPKIN_MUL ? BBIPC_GRUMPKIN : BBIPC_G1;
            if (!to_native(first, a) || core.point_mul(curve, a, second.data, result) != BBIPC_OK) return false;
            write_point(out, result);
            return true;
        }
        case BBIPC_CHEAP_GRUMPKIN_ADD:
            if (!to_native(first, a) || !to_native(second, b) || core.point_add(BBIPC_GRUMPKIN, a, b, result) != BBIPC_OK)
                return false;
            write_point(out, result);
            return true;
        case BBIPC_CHEAP_BN254_G1_IS_ON_CURVE: {
            std::memset(b, 0, 64);
            const std::int32_t status = to_native(first, a) ? core.point_add(BBIPC_G1, a, b, result) : BBIPC_NOT_ON_CURVE;
            out.boolean(status == BBIPC_OK);
            return status == BBIPC_OK || status == BBIPC_NOT_ON_CURVE;
        }
        case BBIPC_CHEAP_BN254_G1_FROM_COMPRESSED:
            if (!decompress(core, first.data, result)) return false;
            write_point(out, result);
            return true;
        case BBIPC_CHEAP_SET_MSM_LEGACY: out.boolean(first.flag); return true;
        default: return false;
    }
}

// The fields of the response to a square root are two.
bool write_root(const bbipc_core& core, const Request& request, Writer& out) {
    std::uint8_t root[32] = {};
    const int field = request.command == BBIPC_CHEAP_BN254_FR_SQRT ? BBIPC_FR : BBIPC_FQ;
    const std::int32_t status = core.field_op(field, BBIPC_SQRT, request.value[0].data, nullptr, root);
    if (status != BBIPC_OK && status != BBIPC_NO_RESULT) return false;
    if (status != BBIPC_OK) std::memset(root, 0, sizeof root);
    out.map(2);
    out.text("is_square_root");
    out.boolean(status == BBIPC_OK);
    out.text("value");
    out.word(root);
    return true;
}

void write_envelope(const Request& request, Writer& out) {
    if (request.dialect == Request::Dialect::envelope) out.little_endian(request.id, 8);
    if (request.dialect == Request::Dialect::tagged) {
        out.array(2);
        out.unsigned_int(request.id);
    }
}

void start_response(const Request& request, Writer& out) {
    write_envelope(request, out);
    out.array(2);
    out.text(answers[request.command].response);
}

bool write_response(const bbipc_core& core, const Request& request, Writer& out) {
    start_response(request, out);
    if (request.command == BBIPC_CHEAP_BN254_FR_SQRT || request.command == BBIPC_CHEAP_BN254_FQ_SQRT) {
        return write_root(core, request, out);
    }
    out.map(1);
    out.text(answers[request.command].key);
    return write_value(core, request, out);
}

// Poseidon2 hashes that are computed side by side: their responses are written already but for the hash.
class Hashes {
  public:
    bool empty() const { return counts_.empty(); }
    bool full() const { return counts_.size() == 64; }

    void add(const Value& inputs, std::uint8_t* place) {
        words_.insert(words_.end(), inputs.data, inputs.data + inputs.size);
        counts_.push_back(inputs.size / 32);
        places_.push_back(place);
    }

    // Fills the places; false if that failed.
    bool compute(const bbipc_core& core) {
        std::uint8_t results[64 * 32];
        const std::int32_t status = counts_.size() == 1
                                        ? core.poseidon2_hash(words_.data(), counts_[0], results)
                                        : core.poseidon2_hash_many(words_.data(), counts_.data(), counts_.size(), results);
        if (status != BBIPC_OK) return false;
        for (std::size_t i = 0; i < places_.size(); ++i) std::memcpy(places_[i], results + 32 * i, 32);
        words_.clear();
        counts_.clear();
        places_.clear();
        return true;
    }

  private:
    std::vector<std::uint8_t> words_;
    std::vector<std::uint64_t> counts_;
    std::vector<std::uint8_t*> places_;
};

bool is_answered_here(const bbipc_answer_rules& rules, const Request& request) {
    if ((rules.commands >> request.command & 1) == 0) return false;
    if (request.dialect == Request::Dialect::plain) return rules.plain != 0;
    const std::uint64_t* const end = rules.in_flight + rules.in_flight_count;
    return rules.in_flight_count == 0 || std::find(rules.in_flight, end, request.id) == end;
}

// One after the other; what was computed is undone as a whole if memory runs out.
class Run {
  public:
    Run(const bbipc_core& core, const bbipc_answer_rules& rules, std::uint8_t* out, std::uint64_t out_length,
        bbipc_answered& answered)
        : core_(core), rules_(rules), out_(out), out_length_(out_length), answered_(answered), sure_(answered) {}

    // Whether the message was answered; if not, `answered.stopped` tells why. framed: a length goes before the response.
    bool answer(const std::uint8_t* payload, std::uint64_t length, bool framed) {
        if (length > std::min<std::uint64_t>(max_payload, rules_.max_payload) ||
            !read_request(payload, length, rules_.envelope != 0, request_) || !is_answered_here(rules_, request_)) {
            return stop(BBIPC_STOPPED_OTHER);
        }
        if (out_length_ - answered_.produced < BBIPC_MAX_CHEAP_RESPONSE) return stop(BBIPC_STOPPED_OUTPUT);
        if (answered_.work >= rules_.max_work) return stop(BBIPC_STOPPED_WORK);
        std::uint8_t* const frame = out_ + answered_.produced;
        const std::size_t head = framed ? header_bytes : 0;
        Writer writer(frame + head);
        if (request_.command == BBIPC_CHEAP_POSEIDON2_HASH) {
            hash_later(writer);
        } else if (!write_response(core_, request_, writer)) {
            return stop(BBIPC_STOPPED_OTHER);
        }
        if (framed) Writer(frame).little_endian(writer.size(), header_bytes);
        answered_.produced += head + writer.size();
        answered_.consumed += head + length;
        answered_.work += work_of(request_);
        ++answered_.answered[request_.command];
        if (hashes_.full()) settle();
        if (hashes_.empty()) sure_ = answered_;
        return true;
    }

    // The end: what is still to be computed.
    void settle() {
        if (!hashes_.empty() && !hashes_.compute(core_)) throw std::bad_alloc();
        const std::int32_t stopped = answered_.stopped;
        sure_ = answered_;
        sure_.stopped = stopped;
    }

    // As if the messages after the last sure one had not been looked at.
    void undo() {
        answered_ = sure_;
        answered_.stopped = BBIPC_STOPPED_OTHER;
    }

    bool stop(std::int32_t why) {
        answered_.stopped = why;
        return false;
    }

  private:
    void hash_later(Writer& writer) {
        start_response(request_, writer);
        writer.map(1);
        writer.text(answers[request_.command].key);
        hashes_.add(request_.value[0], writer.word_space());
    }

    const bbipc_core& core_;
    const bbipc_answer_rules& rules_;
    std::uint8_t* out_;
    const std::uint64_t out_length_;
    bbipc_answered& answered_;
    bbipc_answered sure_;  // without the responses whose hash is missing
    Hashes hashes_;
    Request request_;
};

std::uint32_t read_length(const std::uint8_t* in) {
    return static_cast<std::uint32_t>(in[0]) | static_cast<std::uint32_t>(in[1]) << 8 |
           static_cast<std::uint32_t>(in[2]) << 16 | static_cast<std::uint32_t>(in[3]) << 24;
}

}  // namespace

void answer_frames(const bbipc_core& core, const bbipc_answer_rules& rules, const std::uint8_t* in, std::uint64_t in_length,
                   std::uint8_t* out, std::uint64_t out_length, bbipc_answered& answered) {
    answered = bbipc_answered{};
    answered.stopped = BBIPC_STOPPED_INPUT;
    Run run(core, rules, out, out_length, answered);
    try {
        while (in_length - answered.consumed >= header_bytes) {
            const std::uint8_t* const frame = in + answered.consumed;
            const std::uint64_t length = read_length(frame);
            // A long frame is not answered here, whether it is complete or not.
            if (length > max_payload) {
                run.stop(BBIPC_STOPPED_OTHER);
                break;
            }
            if (in_length - answered.consumed - header_bytes < length) break;
            if (!run.answer(frame + header_bytes, length, true)) break;
        }
        run.settle();
    } catch (const std::exception&) {
        run.undo();
    }
}

void answer_message(const bbipc_core& core, const bbipc_answer_rules& rules, const std::uint8_t* payload, std::uint64_t length,
                    std::uint8_t* out, std::uint64_t out_length, bbipc_answered& answered) {
    answered = bbipc_answered{};
    answered.stopped = BBIPC_STOPPED_INPUT;
    Run run(core, rules, out, out_length, answered);
    try {
        run.answer(payload, length, false);
        run.settle();
    } catch (const std::exception&) {
        run.undo();
    }
}

}  // namespace bbipc::wire
