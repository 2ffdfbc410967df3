#include "hash_chains.hpp"

#include "poseidon2.hpp"
#include "poseidon2_ifma.hpp"

BBIPC_BEGIN

namespace {

// Eight lanes take about twice as long as one state by itself, however many of them are in use.
constexpr std::size_t worth_lanes = 2;

class Lanes {
  public:
    Lanes(HashChains& chains, std::size_t count, LanePath path) : chains_(chains), count_(count), path_(path) {}

    void run() {
        while (used_ < poseidon2_lanes && fill(used_)) ++used_;
        while (used_ > 0) {
            for (std::size_t lane = 0; lane < used_; ++lane) absorb(lane);
            permute();
            for (std::size_t lane = 0; lane < used_;) {
                if (!rest_[lane].empty() || proceed(lane) || fill(lane)) {
                    ++lane;
                } else {
                    give_up(lane);
                }
            }
        }
    }

  private:
    HashChains& chains_;
    const std::size_t count_;
    const LanePath path_;
    std::size_t next_chain_ = 0;
    std::size_t used_ = 0;  // lanes 0 .. used_ - 1 have a chain
    std::size_t chain_[poseidon2_lanes] = {};
    std::span<const Fr> rest_[poseidon2_lanes];  // of the message: what is not absorbed yet
    Fr states_[poseidon2_lanes][4] = {};

    void begin(std::size_t lane, std::span<const Fr> message) {
        Fr(&state)[4] = states_[lane];
        for (Fr& element : state) element = Fr::zero();
        state[3] = Fr::from_int(U256{{0, message.size(), 0, 0}});
        rest_[lane] = message;
    }

    // The chain's next message; false if it has ended.
    bool proceed(std::size_t lane) {
        const Fr hash = states_[lane][0];
        std::span<const Fr> message;
        if (!chains_.next(chain_[lane], &hash, message)) return false;
        begin(lane, message);
        return true;
    }

    // A chain that has not begun; false if there is none.
    bool fill(std::size_t lane) {
        while (next_chain_ < count_) {
            std::span<const Fr> message;
            chain_[lane] = next_chain_++;
            if (!chains_.next(chain_[lane], nullptr, message)) continue;
            begin(lane, message);
            return true;
        }
        return false;
    }

    // The last lane in use takes the place of this one.
    void give_up(std::size_t lane) {
        const std::size_t last = --used_;
        chain_[lane] = chain_[last];
        rest_[lane] = rest_[last];
        for (std::size_t i = 0; i < 4; ++i) states_[lane][i] = states_[last][i];
    }

    void absorb(std::size_t lane) {
        const std::size_t size = std::min<std::size_t>(3, rest_[lane].size());
        for (std::size_t i = 0; i < size; ++i) states_[lane][i] += rest_[lane][i];
        rest_[lane] = rest_[lane].subspan(size);
    }

    void permute() {
#if BBIPC_ADX_FIELD
        if (path_ == LanePath::ifma && used_ >= worth_lanes) {
            poseidon2_permute_ifma(states_);  // idle lanes, too: their states are elements like others
            return;
        }
#endif
        for (std::size_t lane = 0; lane < used_; ++lane) poseidon2_permute(states_[lane]);
    }
};

class Messages final : public HashChains {
  public:
    Messages(std::span<const std::span<const Fr>> messages, std::span<Fr> hashes) : messages_(messages), hashes_(hashes) {}

    bool next(std::size_t chain, const Fr* previous, std::span<const Fr>& message) override {
        if (previous != nullptr) {
            hashes_[chain] = *previous;
            return false;
        }
        message = messages_[chain];
        return true;
    }

  private:
    std::span<const std::span<const Fr>> messages_;
    std::span<Fr> hashes_;
};

}  // namespace

void run_hash_chains(HashChains& chains, std::size_t count, LanePath path) { Lanes(chains, count, path).run(); }

void poseidon2_hash_many(std::span<const std::span<const Fr>> messages, LanePath path, std::span<Fr> hashes) {
    Messages chains(messages, hashes);
    run_hash_chains(chains, messages.size(), path);
}

BBIPC_END
