#include "proof.hpp"

#include <cinttypes>

BBIPC_BEGIN

bool view_proof(const bbipc_proof& parts, Proof& proof, FormatError& error) {
    PartView* const views[5] = {&proof.hiding_oink, &proof.merge, &proof.eccvm, &proof.ipa, &proof.joint};
    constexpr std::int32_t names[5] = {BBIPC_PART_HIDING_OINK, BBIPC_PART_MERGE, BBIPC_PART_ECCVM, BBIPC_PART_IPA,
                                       BBIPC_PART_JOINT};
    for (std::size_t p = 0; p < 5; ++p) {
        *views[p] = PartView{names[p], parts.part[p], static_cast<std::size_t>(parts.count[p])};
        for (std::size_t i = 0; i < views[p]->count; ++i) {
            if (!(load_be(views[p]->word(i)) < Fr::modulus)) {
                error = FormatError::at(names[p], static_cast<std::int64_t>(i),
                                        "%s[%zu]: non-canonical field element: value >= fr::modulus", part_name(names[p]), i);
                return false;
            }
        }
    }
    return true;
}

bool split_lengths(u64 total, u64 num_public_inputs, u64 (&lengths)[5], FormatError& error) {
    const u64 expected = num_public_inputs + fixed_length;  // modulo 2^64, as bb computes it
    if (total != expected) {
        error = FormatError::at(BBIPC_PART_FLAT, -1, "proof has wrong field count: expected %" PRIu64 ", got %" PRIu64,
                                expected, total);
        return false;
    }
    if (total < fixed_length) {  // the sum wrapped
        error =
            FormatError::at(BBIPC_PART_FLAT, -1, "proof has wrong field count: at least %" PRIu64 " are needed, got %" PRIu64,
                            fixed_length, total);
        return false;
    }
    lengths[0] = num_public_inputs + oink_fixed_length;
    lengths[1] = merge_length;
    lengths[2] = eccvm_length;
    lengths[3] = ipa_length;
    lengths[4] = joint_length;
    return true;
}

BBIPC_END
