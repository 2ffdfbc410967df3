"""The records of a transaction's `data`, by the protocol's own names (chapter 15 section 2).

The members of each stand in the order of the circuits' public inputs. This is the table from which transactions are parsed and
written, and from which their public inputs are made.
"""

from typing import Annotated, ClassVar, TypeAlias

from bbipc.aztec.layout import FIELD, U32, U64, U128, Array, Bool, EthAddress, Field, record

__all__ = [
    "AppendOnlyTreeSnapshot",
    "BlockHeader",
    "Gas",
    "GasFees",
    "GasSettings",
    "GlobalVariables",
    "L2ToL1Message",
    "Log",
    "LogHash",
    "PartialStateReference",
    "PrivateToPublicAccumulatedData",
    "PrivateToPublicKernelCircuitPublicInputs",
    "PrivateToRollupAccumulatedData",
    "PrivateToRollupKernelCircuitPublicInputs",
    "PublicCallRequest",
    "ScopedL2ToL1Message",
    "ScopedLogHash",
    "StateReference",
    "TxConstantData",
    "TxContext",
    "TxData",
]


@record
class AppendOnlyTreeSnapshot:
    """A Merkle tree that only grows."""

    root: Field
    next_available_leaf_index: U32


@record
class PartialStateReference:
    """The trees that transactions write to."""

    note_hash_tree: AppendOnlyTreeSnapshot
    nullifier_tree: AppendOnlyTreeSnapshot
    public_data_tree: AppendOnlyTreeSnapshot


@record
class StateReference:
    """All trees of the state."""

    l1_to_l2_message_tree: AppendOnlyTreeSnapshot
    partial: PartialStateReference


@record
class GasFees:
    """Fees for each unit of gas."""

    fee_per_da_gas: U128
    fee_per_l2_gas: U128


@record
class GlobalVariables:
    """What a block's proposer and the chain decide. Chain id and version are field elements."""

    chain_id: Field
    version: Field
    block_number: U32
    slot_number: U32
    timestamp: U64
    coinbase: EthAddress
    fee_recipient: Field
    gas_fees: GasFees


@record
class BlockHeader:
    """The header of the block that the transaction's private part was executed against."""

    last_archive: AppendOnlyTreeSnapshot
    state: StateReference
    sponge_blob_hash: Field
    global_variables: GlobalVariables
    total_fees: Field
    total_mana_used: Field


@record
class Gas:
    """Units of gas."""

    da_gas: U32
    l2_gas: U32


@record
class GasSettings:
    """What the sender is willing to pay."""

    gas_limits: Gas
    teardown_gas_limits: Gas
    max_fees_per_gas: GasFees
    max_priority_fees_per_gas: GasFees


@record
class TxContext:
    """The chain that the transaction is for."""

    chain_id: Field
    version: Field
    gas_settings: GasSettings


@record
class TxConstantData:
    """What no circuit changes. The last two say which protocol the proof was made for: the sender chooses them, so whoever
    relies on a proof must compare them with those of the protocol."""

    anchor_block_header: BlockHeader
    tx_context: TxContext
    vk_tree_root: Field
    protocol_contracts_hash: Field


@record
class L2ToL1Message:
    """A message to an address of the first layer."""

    recipient: EthAddress
    content: Field


@record
class ScopedL2ToL1Message:
    """A message, and the contract that sends it."""

    inner: L2ToL1Message
    contract_address: Field


@record
class Log:
    """A private log: `length` fields, and zeros behind them."""

    fields: Annotated[tuple[bytes, ...], Array(FIELD, 16)]
    length: U32


@record
class LogHash:
    """The hash of a contract class log, and how many of its fields were emitted."""

    value: Field
    length: U32


@record
class ScopedLogHash:
    """The hash of a log, and the contract that emits it."""

    inner: LogHash
    contract_address: Field


@record
class PublicCallRequest:
    """A call of a public function; all zeros if there is none."""

    msg_sender: Field
    contract_address: Field
    is_static_call: Bool
    calldata_hash: Field


@record
class PrivateToRollupAccumulatedData:
    """The effects of a transaction without public calls."""

    note_hashes: Annotated[tuple[bytes, ...], Array(FIELD, 64)]
    nullifiers: Annotated[tuple[bytes, ...], Array(FIELD, 64)]
    l2_to_l1_msgs: Annotated[tuple[ScopedL2ToL1Message, ...], Array(ScopedL2ToL1Message, 8)]
    private_logs: Annotated[tuple[Log, ...], Array(Log, 64)]
    contract_class_logs_hashes: Annotated[tuple[ScopedLogHash, ...], Array(ScopedLogHash, 1)]


@record
class PrivateToPublicAccumulatedData:
    """The effects of the private part of a transaction with public calls, and these calls."""

    note_hashes: Annotated[tuple[bytes, ...], Array(FIELD, 64)]
    nullifiers: Annotated[tuple[bytes, ...], Array(FIELD, 64)]
    l2_to_l1_msgs: Annotated[tuple[ScopedL2ToL1Message, ...], Array(ScopedL2ToL1Message, 8)]
    private_logs: Annotated[tuple[Log, ...], Array(Log, 64)]
    contract_class_logs_hashes: Annotated[tuple[ScopedLogHash, ...], Array(ScopedLogHash, 1)]
    public_call_requests: Annotated[tuple[PublicCallRequest, ...], Array(PublicCallRequest, 32)]


@record
class PrivateToRollupKernelCircuitPublicInputs:
    """`data` of a transaction without public calls: 1281 public inputs."""

    constants: TxConstantData
    end: PrivateToRollupAccumulatedData
    gas_used: Gas
    fee_payer: Field
    expiration_timestamp: U64

    BODY: ClassVar = ("end",)


@record
class PrivateToPublicKernelCircuitPublicInputs:
    """`data` of a transaction with public calls: 2784 public inputs."""

    constants: TxConstantData
    non_revertible_accumulated_data: PrivateToPublicAccumulatedData
    revertible_accumulated_data: PrivateToPublicAccumulatedData
    public_teardown_call_request: PublicCallRequest
    gas_used: Gas
    fee_payer: Field
    expiration_timestamp: U64

    BODY: ClassVar = ("non_revertible_accumulated_data", "revertible_accumulated_data", "public_teardown_call_request")


TxData: TypeAlias = PrivateToRollupKernelCircuitPublicInputs | PrivateToPublicKernelCircuitPublicInputs
"""`data` of either kind; `BODY` names the members that differ, which stand last in its bytes."""
