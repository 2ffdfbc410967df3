// Verdicts inside the core: the C ABI's struct with constructors that cannot be confused.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include "../config.hpp"
#include "../include/bbipc_core.h"

BBIPC_BEGIN

using Verdict = bbipc_verdict;

inline Verdict verdict_valid() {
    Verdict v{};
    v.outcome = BBIPC_VALID;
    v.position = -1;
    return v;
}

inline Verdict verdict_invalid(std::int32_t step) {
    Verdict v = verdict_valid();
    v.outcome = BBIPC_INVALID;
    v.step = step;
    return v;
}

inline Verdict verdict_cancelled() {
    Verdict v = verdict_valid();
    v.outcome = BBIPC_CANCELLED;
    return v;
}

// part: BBIPC_PART_...; position: word index within the part, or -1. The message is printf-formatted.
__attribute__((format(printf, 3, 4))) inline Verdict verdict_error(std::int32_t part, std::int64_t position, const char* format,
                                                                   ...) {
    Verdict v = verdict_valid();
    v.outcome = BBIPC_ERROR;
    v.part = part;
    v.position = position;
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(v.message, sizeof v.message, format, arguments);
    va_end(arguments);
    return v;
}

BBIPC_END
