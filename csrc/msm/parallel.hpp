// A loop over independent pieces of work on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "../config.hpp"

BBIPC_BEGIN

// work(worker, i) once for each i < count; worker < threads names the executing thread, so that each may have a workspace of
// its own. Pieces are handed out one by one. Threads that cannot be had are done without: the caller's thread does whatever is
// left. An exception of work ends the loop and is thrown on.
template <class Work>
void parallel_for(std::size_t count, unsigned threads, const Work& work) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr problem;
    std::mutex problem_mutex;
    const auto run = [&](unsigned worker) noexcept {
        try {
            for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) work(worker, i);
        } catch (...) {
            next.store(count, std::memory_order_relaxed);  // no further pieces
            const std::lock_guard lock(problem_mutex);
            problem = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    const std::size_t useful = std::min<std::size_t>(threads, count);
    if (useful > 1) others.reserve(useful - 1);
    try {
        for (unsigned worker = 1; worker < useful; ++worker) others.emplace_back(run, worker);
    } catch (const std::exception&) {
        // The system has no more threads for us (std::system_error), or no memory for one. Those that run must be joined.
    }
    run(0);
    for (std::thread& other : others) other.join();
    if (problem) std::rethrow_exception(problem);
}

BBIPC_END
