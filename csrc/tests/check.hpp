// What the native tests share: CHECK counts a failure and goes on (or ends the test, if BBIPC_STOP_AT_FAILURE is
// set); `return check_result();` ends main.
#pragma once

#include <cstdio>
#include <cstdlib>

struct CheckCounts {
    unsigned long passed = 0, failed = 0;
    const char* rule = nullptr;
};

inline CheckCounts& check_counts() {
    static CheckCounts counts;
    return counts;
}

// What the specification (a chapter of docs/spec, or the architecture) demands of that which is checked from here to the end of the
// block: a failure names it.
class Rule {
  public:
    explicit Rule(const char* name) : outer_(check_counts().rule) { check_counts().rule = name; }
    ~Rule() { check_counts().rule = outer_; }
    Rule(const Rule&) = delete;
    Rule& operator=(const Rule&) = delete;

  private:
    const char* const outer_;
};

inline void check(bool ok, const char* expression, const char* file, int line) {
    ++(ok ? check_counts().passed : check_counts().failed);
    if (ok) return;
    const char* const rule = check_counts().rule;
    std::fprintf(stderr, "%s:%d: %s%sfailed: %s\n", file, line, rule != nullptr ? rule : "", rule != nullptr ? ": " : "",
                 expression);
    if (std::getenv("BBIPC_STOP_AT_FAILURE") != nullptr) std::_Exit(1);
}

#define CHECK(...) check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// The exit code of the test; a test without checks fails.
inline int check_result() {
    const CheckCounts& c = check_counts();
    std::printf("%lu checks passed, %lu failed\n", c.passed, c.failed);
    return c.failed == 0 && c.passed != 0 ? 0 : 1;
}
