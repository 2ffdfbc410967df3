// How a verification runs; none of it changes a verdict.
#pragma once

#include <atomic>

#include "../field/lane_path.hpp"
#include "random.hpp"

BBIPC_BEGIN

// A flag that another thread may raise; read between steps.
class CancelFlag {
  public:
    // What is asked instead of an integer in tests, which raise a flag at a certain reading: nothing outside of the core can.
    class Source {
      public:
        virtual ~Source() = default;
        virtual bool raised() const = 0;
    };

    explicit CancelFlag(const std::int32_t* flag = nullptr) : flag_(flag) {}
    explicit CancelFlag(const Source& source) : source_(&source) {}
    // __atomic builtins, not std::atomic_ref, because the caller's int is const to us.
    bool raised() const {
        if (source_ != nullptr) return source_->raised();
        return flag_ != nullptr && __atomic_load_n(flag_, __ATOMIC_RELAXED) != 0;
    }

  private:
    const std::int32_t* flag_ = nullptr;
    const Source* source_ = nullptr;
};

struct Options {
    unsigned threads = 1;
    LanePath lane_path = LanePath::scalar;
    CancelFlag cancel{};
    const RandomSource* random = &system_random();  // of the weights of combined checks; another only in tests
};

BBIPC_END
