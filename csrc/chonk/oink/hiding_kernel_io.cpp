#include "hiding_kernel_io.hpp"

BBIPC_BEGIN

Objection decode_hiding_kernel_io(const PartView& public_inputs, HidingKernelIo& io) {
    if (public_inputs.count < io_length) {
        return Rejection::unreadable(
            FormatError::at(public_inputs.part, -1,
                            "Public inputs too small for HidingKernelIO reconstruction: at least %d, got %zu",
                            static_cast<int>(io_length), public_inputs.count),
            BBIPC_STEP_OINK);
    }
    G1* const points[7] = {&io.pairing_p0,        &io.pairing_p1,        &io.kernel_return_data, &io.previous_table[0],
                           &io.previous_table[1], &io.previous_table[2], &io.previous_table[3]};
    for (std::size_t i = 0; i < 7; ++i) {
        const std::size_t first = public_inputs.count - io_length + 4 * i;
        U256 limbs[4];
        for (std::size_t j = 0; j < 4; ++j) limbs[j] = load_be(public_inputs.word(first + j));
        unsigned failed_limb = 0;
        const DecodeError error = decode_g1(limbs, *points[i], failed_limb);
        if (error != DecodeError::none) {
            const std::size_t position = first + failed_limb;
            return Rejection::unreadable(FormatError::at(public_inputs.part, static_cast<std::int64_t>(position), "%s[%zu]: %s",
                                                         part_name(public_inputs.part), position, describe(error)),
                                         BBIPC_STEP_OINK);
        }
    }
    return std::nullopt;
}

BBIPC_END
