// Verdicts inside the core: the C ABI's struct with constructors that cannot be confused.
//
// Every verdict starts as an error, so that a path that forgets to decide cannot accept: verdict_valid() is the only way to
// make a valid one.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include "../config.hpp"
#include "../include/bbipc_core.h"

BBIPC_BEGIN

using Verdict = bbipc_verdict;

static_assert(BBIPC_ERROR == 0, "a zeroed struct is no acceptance");

// part: BBIPC_PART_...; position: word index within the part, or -1. The message is printf-formatted.
__attribute__((format(printf, 3, 4))) inline Verdict verdict_error(std::int32_t part, std::int64_t position, const char* format,
                                                                   ...) {
    Verdict v{};
    v.outcome = BBIPC_ERROR;
    v.part = part;
    v.position = position;
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(v.message, sizeof v.message, format, arguments);
    va_end(arguments);
    return v;
}

// What a verdict is before anything has decided.
inline Verdict verdict_undecided() { return verdict_error(BBIPC_PART_NONE, -1, "the verification ended without a verdict"); }

inline Verdict verdict_without_message(std::int32_t outcome, std::int32_t step) {
    Verdict v{};
    v.outcome = outcome;
    v.step = step;
    v.position = -1;
    return v;
}

inline Verdict verdict_valid() { return verdict_without_message(BBIPC_VALID, BBIPC_STEP_NONE); }

inline Verdict verdict_invalid(std::int32_t step) { return verdict_without_message(BBIPC_INVALID, step); }

inline Verdict verdict_cancelled() { return verdict_without_message(BBIPC_CANCELLED, BBIPC_STEP_NONE); }

BBIPC_END
