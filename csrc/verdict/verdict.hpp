// What a verification may say, as types.
//
// A step can object or say nothing: it returns an Objection, which cannot express acceptance. That nothing was objected is no
// acceptance either. Only FinalCheck (csrc/chonk/verify/verify.cpp) can make an Acceptance, and only an Acceptance makes a valid Verdict;
// every other Verdict starts as an error.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>

#include "../config.hpp"
#include "../include/bbipc_core.h"

BBIPC_BEGIN

static_assert(BBIPC_ERROR == 0, "a zeroed struct is no acceptance");

// Why something could not be read. part: BBIPC_PART_...; position: word index within the part, or -1.
struct FormatError {
    std::int32_t part = BBIPC_PART_NONE;
    std::int64_t position = -1;
    char message[sizeof bbipc_verdict::message] = {};

    __attribute__((format(printf, 3, 4))) static FormatError at(std::int32_t part, std::int64_t position, const char* format,
                                                                ...) {
        FormatError error{part, position, {}};
        std::va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(error.message, sizeof error.message, format, arguments);
        va_end(arguments);
        return error;
    }
};

// What reading an encoding returns: what is wrong with it, or nothing.
using Unreadable = std::optional<FormatError>;

// A verdict that is not "valid".
class Rejection {
  public:
    // step: the one that was reading, or BBIPC_STEP_NONE before all steps.
    static Rejection unreadable(const FormatError& error, std::int32_t step = BBIPC_STEP_NONE) {
        Rejection r(BBIPC_ERROR, step);
        r.verdict_.part = error.part;
        r.verdict_.position = error.position;
        std::memcpy(r.verdict_.message, error.message, sizeof error.message);
        return r;
    }
    // The verification could not be carried out.
    static Rejection failure(const char* problem) { return unreadable(FormatError::at(BBIPC_PART_NONE, -1, "%s", problem)); }
    static Rejection invalid(std::int32_t step) { return Rejection(BBIPC_INVALID, step); }
    static Rejection cancelled() { return Rejection(BBIPC_CANCELLED, BBIPC_STEP_NONE); }

    bool is_cancelled() const { return verdict_.outcome == BBIPC_CANCELLED; }
    const bbipc_verdict& as_c() const { return verdict_; }

  private:
    Rejection(std::int32_t outcome, std::int32_t step) : verdict_{} {
        verdict_.outcome = outcome;
        verdict_.step = step;
        verdict_.position = -1;
    }

    bbipc_verdict verdict_;
};

// What a step returns: why the proof is rejected, or nothing so far.
using Objection = std::optional<Rejection>;

// The licence to call a proof valid.
class Acceptance {
    friend class FinalCheck;
    Acceptance() {}
};

class Verdict {
  public:
    Verdict() : Verdict(Rejection::failure("the verification ended without a verdict")) {}
    Verdict(const Rejection& rejection) : verdict_(rejection.as_c()) {}  // NOLINT(google-explicit-constructor)
    explicit Verdict(const Acceptance&) : verdict_{} {
        verdict_.outcome = BBIPC_VALID;
        verdict_.position = -1;
    }

    const bbipc_verdict& as_c() const { return verdict_; }

  private:
    bbipc_verdict verdict_;
};

BBIPC_END
