// What the joint proof is about, beside its own messages.
#pragma once

#include <span>

#include "../keys/key.hpp"
#include "../oink/oink.hpp"

BBIPC_BEGIN

struct JointInputs {
    const G1& translator_key;  // of the setup (chapter 10.3)
    const Key& key;
    const OinkResult& oink;
    std::span<const G1, 4> merged_table;  // M_0..M_3
    const Fq& x;                          // from the ECCVM part
    const Fq& v;
    const Fq& accumulated_result;
};

BBIPC_END
