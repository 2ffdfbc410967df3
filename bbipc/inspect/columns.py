"""The names of the columns whose evaluations and commitments a proof holds (chapters 07.2, 10.5, 11.1, 13.3)."""

from typing import Final

__all__ = ["ECCVM", "ECCVM_SHIFTED", "ECCVM_WIRES", "KEY", "MEGA", "MINI_CIRCUIT", "TRANSLATOR"]


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _numbered(name: str, numbers: range) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for number in numbers)


KEY: Final = _split(
    "Q_M Q_L Q_R Q_O Q_4 Q_C Q_ARITH SIGMA_1 SIGMA_2 SIGMA_3 SIGMA_4 ID_1 ID_2 ID_3 ID_4 LAGRANGE_FIRST LAGRANGE_LAST "
    "Q_DELTA_RANGE LAGRANGE_ECC_OP Q_BUSREAD KERNEL_CALLDATA_INDICATOR DATABUS_ID Q_POSEIDON2_EXTERNAL "
    "Q_POSEIDON2_EXTERNAL_INITIAL Q_POSEIDON2_QUAD_INTERNAL Q_5 Q_POSEIDON2_QUAD_INTERNAL_TERMINAL "
    "Q_POSEIDON2_TRANSITION_ENTRY"
)
"""The 28 commitments of a verification key (chapter 03 section 1)."""

_MEGA_WITNESS: Final = _split(
    "w_l w_r w_o w_4 z_perm ecc_op_wire_1 ecc_op_wire_2 ecc_op_wire_3 ecc_op_wire_4 kernel_calldata "
    "kernel_calldata_read_counts kernel_calldata_inverses"
)
MEGA: Final = (
    *(name.lower() for name in KEY),
    *_MEGA_WITNESS,
    *(f"{name}_shift" for name in ("w_l", "w_r", "w_o", "w_4", "z_perm")),
)
"""The 45 columns of MegaZK (chapter 11.1)."""

ECCVM_WIRES: Final = (
    *_split(
        "transcript_add transcript_eq transcript_msm_transition transcript_px transcript_py transcript_z1 transcript_z2 "
        "transcript_z1zero transcript_z2zero transcript_op transcript_msm_x transcript_msm_y precompute_point_transition "
        "precompute_s1lo precompute_s2hi precompute_s2lo precompute_s3hi precompute_s3lo precompute_s4hi precompute_s4lo "
        "precompute_skew msm_size_of_msm msm_add2 msm_add3 msm_add4 msm_x1 msm_y1 msm_x2 msm_y2 msm_x3 msm_y3 msm_x4 msm_y4 "
    ),
    *_numbered("msm_collision_x", range(1, 5)),
    *_numbered("msm_lambda", range(1, 5)),
    *_numbered("msm_slice", range(1, 5)),
    *_split(
        "transcript_reset_accumulator lookup_read_counts_0 lookup_read_counts_1 transcript_base_infinity "
        "transcript_base_x_inverse transcript_base_y_inverse transcript_add_x_equal transcript_add_y_equal "
        "transcript_add_lambda transcript_msm_intermediate_x transcript_msm_intermediate_y transcript_msm_infinity "
        "transcript_msm_x_inverse transcript_msm_count_zero_at_transition transcript_msm_count_at_transition_inverse "
        "msm_round_minus_31_inv transcript_mul transcript_msm_count precompute_scalar_sum precompute_s1hi precompute_dx "
        "precompute_dy precompute_tx precompute_ty msm_transition msm_add msm_double msm_skew msm_accumulator_x "
        "msm_accumulator_y msm_count msm_round msm_add1 msm_pc precompute_pc transcript_pc precompute_round "
        "precompute_select transcript_accumulator_not_empty transcript_accumulator_x transcript_accumulator_y"
    ),
)
"""Columns 5 to 90 of the ECCVM, whose commitments come first (chapter 07.2)."""

_ECCVM_UNSHIFTED: Final = (
    *_split("gemini_masking_poly lagrange_first lagrange_second lagrange_third lagrange_last"),
    *ECCVM_WIRES,
    *_split("z_perm lookup_inverses"),
)
ECCVM_SHIFTED: Final = _ECCVM_UNSHIFTED[66:92]
"""Columns 66 to 91 of the ECCVM, which are also evaluated one row further."""

ECCVM: Final = (*_ECCVM_UNSHIFTED, *(f"{name}_shift" for name in ECCVM_SHIFTED))
"""The 119 columns of the ECCVM in the order of their evaluations."""

_LIMBS: Final = _split(
    "p_x_low_limbs p_x_high_limbs p_y_low_limbs p_y_high_limbs z_low_limbs z_high_limbs accumulator_low_limbs "
    "accumulator_high_limbs quotient_low_limbs quotient_high_limbs"
)
_MINI_CIRCUIT_WIRES: Final = (
    *_LIMBS[:6],
    *_numbered("accumulators_binary_limbs_", range(4)),
    *_split("quotient_low_binary_limbs quotient_high_binary_limbs relation_wide_limbs"),
    *(f"{limb}_range_constraint_{number}" for limb in _LIMBS for number in (0, 1, 2, 3, 4, "tail")),
    *_numbered("relation_wide_limbs_range_constraint_", range(4)),
)
MINI_CIRCUIT: Final = (*_MINI_CIRCUIT_WIRES, *(f"{name}_shift" for name in _MINI_CIRCUIT_WIRES))
"""The 77 wires of the translator's mini-circuit and their shifts (chapter 10.5)."""

_ORDERED: Final = _numbered("ordered_range_constraints_", range(5))
_SHIFTED: Final = ("x_lo_y_hi", "x_hi_z_1", "y_lo_z_2", *_ORDERED, "z_perm")
TRANSLATOR: Final = (
    *_split("gemini_masking_poly ordered_extra_range_constraints_numerator op x_lo_y_hi x_hi_z_1 y_lo_z_2"),
    *_ORDERED,
    "z_perm",
    *(f"{name}_shift" for name in _SHIFTED),
)
"""The 21 full-size columns of the translator (chapter 13.3)."""
