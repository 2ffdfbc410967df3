/* bbipc core: an independent verifier of Chonk proofs (Aztec, bb.js 5.0.0).
 *
 * Plain C. All functions are safe to call from any thread at the same time. No function throws, aborts or keeps a pointer
 * after it returns unless it says so. Field elements are 32-byte big-endian canonical integers; points are x followed by y,
 * 64 bytes, with 64 zero bytes for the point at infinity, unless a function says otherwise.
 *
 * Success. A function that can fail returns a bbipc_status, and BBIPC_OK is the only success. The values of bbipc_status and
 * bbipc_outcome are disjoint, and 0 is neither a success nor an acceptance. Only bbipc_verify, bbipc_verify_many and
 * bbipc_check accept proofs, and they do so by verdict->outcome == BBIPC_VALID alone; no other function writes that value.
 *
 * Null. A pointer may be null where its description says so, and that of an array or a run of bytes when its length is 0.
 * Any other null pointer is an error, and nothing else is done: a function with a status returns BBIPC_BAD_ARGUMENT (and fills
 * its verdict, if it has one), one with verdicts makes each of them BBIPC_ERROR, one that makes an object returns null, and
 * the rest do nothing, or return 0. Functions that free take null.
 *
 * Order of arguments: the object that does the work; what selects an operation (field, curve, op) and what is changed in place;
 * inputs, each followed by its length, or arrays of the same length followed by their count; bounds and options (flags,
 * threads, cancel); outputs, each followed by its size where the caller chooses it; and last the verdict or message.
 *
 * The specification is docs/spec/; "chapter NN" in comments of this library refers to its files.
 */
#ifndef BBIPC_CORE_H
#define BBIPC_CORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version --------------------------------------------------------------------------------------------------------- */

/* Rises with every change after which a caller compiled against the former header could be wrong. */
enum { BBIPC_ABI_VERSION = 2 };

/* ---- Outcomes ------------------------------------------------------------------------------------------------------ */

/* Outcome of a verification (chapter 00 section 4). Zero is no acceptance: memory that nobody wrote to reads as an error. */
typedef enum bbipc_outcome {
    BBIPC_ERROR = 0,    /* could not be decoded, or not decided at all: see `message`, `part` and `position` */
    BBIPC_VALID = 1,    /* every check passed */
    BBIPC_INVALID = 2,  /* well formed, but a check failed: see `step` */
    BBIPC_CANCELLED = 3 /* the cancel flag was set before a verdict was reached */
} bbipc_outcome;

/* What a function that is not a verification returns. */
typedef enum bbipc_status {
    BBIPC_OK = 16,            /* it was done */
    BBIPC_NOT_CANONICAL = 17, /* an input is not below its modulus */
    BBIPC_NOT_ON_CURVE = 18,  /* an input is not on its curve, or not in its subgroup */
    BBIPC_NO_RESULT = 19,     /* inverse of zero, square root of a non-square, no point with this x */
    BBIPC_BAD_ARGUMENT = 20,  /* a null pointer, an unknown field, curve or operation, or a count that is too large */
    BBIPC_OUT_OF_MEMORY = 21,
    BBIPC_BAD_ENCODING = 22, /* a proof or a key does not have the form that it must have: the verdict says where and why */

    BBIPC_RING_NOTHING = 32,  /* nothing to take, no room to put, or the time is over */
    BBIPC_RING_NO_SPACE = 33, /* `room` is too small for the message */
    BBIPC_RING_TOO_LONG = 34, /* a message of more than capacity / 2 - 4 bytes */
    BBIPC_RING_BROKEN = 35,   /* see bbipc_ring_fault */
    BBIPC_RING_INTERRUPTED = 36
} bbipc_status;

/* The checks, in the order in which they decide (chapter 00 section 5). */
typedef enum bbipc_step {
    BBIPC_STEP_NONE = 0,
    BBIPC_STEP_OINK = 1,            /* "Oink": a denominator of public_input_delta is zero */
    BBIPC_STEP_PI_PAIRING = 2,      /* "PI pairing points" */
    BBIPC_STEP_DATABUS = 3,         /* "databus consistency" */
    BBIPC_STEP_MERGE_REDUCTION = 4, /* "Merge reduction" */
    BBIPC_STEP_MERGE_PAIRING = 5,   /* "Merge pairing" */
    BBIPC_STEP_ECCVM = 6,           /* "ECCVM step" */
    BBIPC_STEP_JOINT_REDUCTION = 7, /* "batched translator+joint reduction" */
    BBIPC_STEP_JOINT_PAIRING = 8,   /* "batched translator+joint pairing" */
    BBIPC_STEP_IPA = 9              /* "IPA" */
} bbipc_step;

/* Where an error was found. */
typedef enum bbipc_part {
    BBIPC_PART_NONE = 0,
    BBIPC_PART_HIDING_OINK = 1,
    BBIPC_PART_MERGE = 2,
    BBIPC_PART_ECCVM = 3,
    BBIPC_PART_IPA = 4,
    BBIPC_PART_JOINT = 5,
    BBIPC_PART_KEY = 6,
    BBIPC_PART_FLAT = 7 /* the flat list of fields or the compressed words */
} bbipc_part;

typedef struct {
    int32_t outcome; /* BBIPC_VALID ... */
    int32_t step;    /* BBIPC_STEP_...: the failing step when outcome is BBIPC_INVALID; when it is BBIPC_ERROR, the step
                             that was reading, or BBIPC_STEP_NONE if the error came before all steps */
    int32_t part;    /* BBIPC_PART_...: where the error is, when outcome is BBIPC_ERROR */
    int32_t reserved;
    int64_t position;  /* index of the offending 32-byte word within that part; -1 if the error has no position */
    char message[232]; /* zero-terminated ASCII; empty unless outcome is BBIPC_ERROR */
} bbipc_verdict;

/* ---- Arithmetic paths ---------------------------------------------------------------------------------------------- */

typedef enum bbipc_arith {
    BBIPC_ARITH_AUTO = 0,
    BBIPC_ARITH_PORTABLE = 1, /* 4 x 64-bit limbs, unsigned __int128 */
    BBIPC_ARITH_ADX = 2,      /* x86-64 mulx/adcx/adox */
    BBIPC_ARITH_IFMA = 3      /* the former, and AVX-512 IFMA (8 lanes of 5 x 52 bits) where there is work for 8 */
} bbipc_arith;

/* Returns: 1 if this machine and build can run `arith`, otherwise 0.
 * In:      arith: a bbipc_arith. */
int32_t bbipc_arith_supported(int32_t arith);

/* ---- The context --------------------------------------------------------------------------------------------------- */

/* An immutable context: a trusted setup, an arithmetic path, and (internally locked, bounded) a cache of decoded keys. */
typedef struct bbipc_core bbipc_core;

/* Make a context.
 * Returns: the context; null when a value is not canonical, off its curve or not in the subgroup, when only one of the two is
 *          given, when `arith` is not supported here, or when memory is out.
 * In:      g2_x: [x]_2 as x.c0 | x.c1 | y.c0 | y.c1 (chapter 01 section 4), 128 bytes, and translator_key: the commitment of
 *          chapter 10.3, x | y, 64 bytes; both null: the Aztec setup. arith: a bbipc_arith.
 * Out:     message: null, or 232 bytes: the reason, zero-terminated, when null is returned. */
bbipc_core *bbipc_core_new(const uint8_t *g2_x, const uint8_t *translator_key, int32_t arith, char *message);
/* No other call may be under way with it. */
void bbipc_core_free(bbipc_core *core);

/* Returns: the path in use: BBIPC_ARITH_PORTABLE, _ADX or _IFMA. */
int32_t bbipc_core_arith(const bbipc_core *core);

/* ---- Verification -------------------------------------------------------------------------------------------------- */

/* A proof: five parts, each `count[i]` consecutive 32-byte words at `part[i]`, in the order of chapter 00 section 1.
 * part[i] may be null when count[i] is 0. */
typedef struct {
    const uint8_t *part[5];
    uint64_t count[5];
} bbipc_proof;

enum {
    BBIPC_STRICT = 1 /* demand the exact part lengths of chapter 00 section 1 (chapter 00 section 6), and canonical key words */
};

/* Verify one proof.
 * In:  key: key_length bytes. flags: 0 or BBIPC_STRICT. threads: an upper bound on the threads used, at least 1. cancel: null,
 *      or an int that another thread may set to non-zero; it is read between steps.
 * Out: verdict. */
void bbipc_verify(const bbipc_core *core, const bbipc_proof *proof, const uint8_t *key, uint64_t key_length, uint32_t flags,
                  uint32_t threads, const int32_t *cancel, bbipc_verdict *verdict);

/* A proof after steps 0-8 without their pairings: a claim that bbipc_check decides. Copies all it needs. */
typedef struct bbipc_claim bbipc_claim;

/* Do everything of one proof that needs no other proof.
 * Returns: the claim, to be freed with bbipc_claim_free; null if memory is out. What is wrong with the arguments or the proof
 *          is kept in the claim, and bbipc_check says it.
 * In:      as for bbipc_verify. */
bbipc_claim *bbipc_reduce(const bbipc_core *core, const bbipc_proof *proof, const uint8_t *key, uint64_t key_length,
                          uint32_t flags, const int32_t *cancel);
/* Do bbipc_reduce for `count` proofs, side by side on one thread: several times faster than one by one where the machine has
 * lanes for it; groups of eight are cheapest.
 * In:  keys, key_lengths: as for bbipc_verify_many. flags: as for bbipc_verify. cancels: null, or `count` pointers, each of
 *      which may be null; a flag that is raised ends its proof and no other.
 * Out: claims: `count` of them; claims[i] is what bbipc_reduce gives for proof i. */
void bbipc_reduce_many(const bbipc_core *core, const bbipc_proof *proofs, const uint8_t *const *keys,
                       const uint64_t *key_lengths, uint64_t count, uint32_t flags, const int32_t *const *cancels,
                       bbipc_claim **claims);
/* No other call may be under way with it. */
void bbipc_claim_free(bbipc_claim *claim);

/* Decide `count` claims of this context together.
 * In:  claims: none may be null; one that is gets an error as its verdict, and so does a claim of another context, since its
 *      proof was reduced under another setup. threads: as for bbipc_verify. cancels: as for bbipc_reduce_many.
 * Out: verdicts: `count` of them; verdicts[i] equals the verdict that bbipc_verify gives for that proof alone. */
void bbipc_check(const bbipc_core *core, const bbipc_claim *const *claims, uint64_t count, uint32_t threads,
                 const int32_t *const *cancels, bbipc_verdict *verdicts);

/* Verify `count` proofs together: reduce them on up to `threads` threads, then decide them as bbipc_check does.
 * In:  keys[i]: key_lengths[i] bytes. flags, threads, cancel: as for bbipc_verify.
 * Out: verdicts: `count` of them; verdicts[i] equals the verdict that bbipc_verify gives for that proof alone. */
void bbipc_verify_many(const bbipc_core *core, const bbipc_proof *proofs, const uint8_t *const *keys,
                       const uint64_t *key_lengths, uint64_t count, uint32_t flags, uint32_t threads, const int32_t *cancel,
                       bbipc_verdict *verdicts);

/* Decode a key alone.
 * Returns: BBIPC_OK; BBIPC_BAD_ENCODING, _BAD_ARGUMENT or _OUT_OF_MEMORY.
 * In:      key: key_length bytes.
 * Out:     words: log_circuit_size, num_public_inputs, pub_inputs_offset. hash: its Poseidon2 hash. verdict: zeros on success,
 *          which is not an acceptance; otherwise BBIPC_ERROR and the reason. */
int32_t bbipc_key_inspect(const bbipc_core *core, const uint8_t *key, uint64_t key_length, uint64_t words[3], uint8_t hash[32],
                          bbipc_verdict *verdict);

/* ---- Proof encodings (chapter 03) ---------------------------------------------------------------------------------- */

/* Split `total` flat words for a key with `num_public_inputs`.
 * Returns: BBIPC_OK; BBIPC_BAD_ENCODING or _BAD_ARGUMENT.
 * Out:     count: the lengths of the five parts, in words. verdict: as for bbipc_key_inspect. */
int32_t bbipc_proof_split(uint64_t total, uint64_t num_public_inputs, uint64_t count[5], bbipc_verdict *verdict);

/* Compress a proof.
 * Returns: BBIPC_OK; BBIPC_BAD_ENCODING, _BAD_ARGUMENT or _OUT_OF_MEMORY.
 * Out:     out: 32 * (697 + npi) bytes, where npi = count[0] - 48; an error if out_length is less. verdict: as for
 *          bbipc_key_inspect. */
int32_t bbipc_proof_compress(const bbipc_core *core, const bbipc_proof *proof, uint8_t *out, uint64_t out_length,
                             bbipc_verdict *verdict);

/* Decompress a proof.
 * Returns: BBIPC_OK; BBIPC_BAD_ENCODING, _BAD_ARGUMENT or _OUT_OF_MEMORY.
 * In:      in: in_length bytes.
 * Out:     out: the flat proof, 32 * (1242 + npi) bytes, where npi = in_length / 32 - 697; an error if out_length is less.
 *          verdict: as for bbipc_key_inspect. */
int32_t bbipc_proof_decompress(const bbipc_core *core, const uint8_t *in, uint64_t in_length, uint8_t *out, uint64_t out_length,
                               bbipc_verdict *verdict);

/* ---- Primitive operations (for the wire's cheap commands, and for tests) -------------------------------------------- */

typedef enum bbipc_field { BBIPC_FR = 0, BBIPC_FQ = 1 } bbipc_field;       /* fields: chapter 01 section 1 */
typedef enum bbipc_curve { BBIPC_G1 = 0, BBIPC_GRUMPKIN = 1 } bbipc_curve; /* curves */
typedef enum bbipc_op {
    BBIPC_ADD = 0,
    BBIPC_SUB = 1,
    BBIPC_MUL = 2,
    BBIPC_SQR = 3,
    BBIPC_NEG = 4,
    BBIPC_INV = 5,
    BBIPC_SQRT = 6
} bbipc_op;

/* out = a op b.
 * Returns: BBIPC_OK; BBIPC_BAD_ARGUMENT, _OUT_OF_MEMORY, _NOT_CANONICAL or _NO_RESULT.
 * In:      field: a bbipc_field. op: a bbipc_op. a, b: elements; b may be null for operations of one operand (BBIPC_SQR ...).
 * Out:     out: an element. It may be a or b. */
int32_t bbipc_field_op(const bbipc_core *core, int32_t field, int32_t op, const uint8_t *a, const uint8_t *b, uint8_t *out);
/* Reduce 64 big-endian bytes modulo the field.
 * Returns: BBIPC_OK or BBIPC_BAD_ARGUMENT.
 * In:      field: a bbipc_field. */
int32_t bbipc_field_reduce512(const bbipc_core *core, int32_t field, const uint8_t in[64], uint8_t out[32]);

/* out = a + b.
 * Returns: BBIPC_OK; BBIPC_BAD_ARGUMENT, _OUT_OF_MEMORY, _NOT_CANONICAL or _NOT_ON_CURVE.
 * In:      curve: a bbipc_curve. */
int32_t bbipc_point_add(const bbipc_core *core, int32_t curve, const uint8_t a[64], const uint8_t b[64], uint8_t out[64]);
/* out = scalar * point; a scalar is an element of the curve's scalar field. Returns: as bbipc_point_add. */
int32_t bbipc_point_mul(const bbipc_core *core, int32_t curve, const uint8_t point[64], const uint8_t scalar[32],
                        uint8_t out[64]);
/* out = sum of scalars[i] * points[i]. Returns: as bbipc_point_add; BBIPC_BAD_ARGUMENT if count > 2^24. */
int32_t bbipc_point_msm(const bbipc_core *core, int32_t curve, const uint8_t *points, const uint8_t *scalars, uint64_t count,
                        uint8_t out[64]);
/* out[i] = scalar * points[i]. Returns: as bbipc_point_msm. Out: out: 64 * count bytes. */
int32_t bbipc_point_batch_mul(const bbipc_core *core, int32_t curve, const uint8_t *points, const uint8_t scalar[32],
                              uint64_t count, uint8_t *out);
/* out = sum of scalars[i] * generator i (chapter 01 section 6). Returns: as bbipc_point_add; BBIPC_BAD_ARGUMENT if
 * count > 32768. */
int32_t bbipc_generators_msm(const bbipc_core *core, const uint8_t *scalars, uint64_t count, uint32_t threads, uint8_t out[64]);
/* Generators first .. first + count - 1 as x | y. Returns: BBIPC_OK; BBIPC_BAD_ARGUMENT if one of them is not below 32768, or
 * _OUT_OF_MEMORY. Out: out: 64 * count bytes. */
int32_t bbipc_generators(const bbipc_core *core, uint64_t first, uint64_t count, uint8_t *out);

/* out = scalar * point, in G2: 128 bytes, x.c0 | x.c1 | y.c0 | y.c1; infinity is 128 zero bytes.
 * Returns: as bbipc_point_add. */
int32_t bbipc_g2_mul(const bbipc_core *core, const uint8_t point[128], const uint8_t scalar[32], uint8_t out[128]);
/* The product of e(g1[i], g2[i]) over `count` pairs.
 * Returns: as bbipc_point_add.
 * Out:     is_one: 1 if it is the identity; 0 if not, and whenever the status is not BBIPC_OK. gt: null, or 384 bytes for the
 *          value (12 coefficients, c0 to c11 of the tower in the order documented in csrc/pairing/fq12.hpp). */
int32_t bbipc_pairing(const bbipc_core *core, const uint8_t *g1, const uint8_t *g2, uint64_t count, int32_t *is_one,
                      uint8_t *gt);

/* ---- Reference strings (for the commands SrsInitSrs and SrsInitGrumpkinSrs), on up to `threads` threads ---- */

/* Points of G1 from 32 bytes each: x in bits 0 to 254, the parity of y in bit 255.
 * Returns: BBIPC_OK; BBIPC_NO_RESULT if a word is not a point, BBIPC_BAD_ARGUMENT or _OUT_OF_MEMORY.
 * Out:     out: 64 * count bytes. failed: the index of the first word that is not a point, or count. */
int32_t bbipc_g1_decompress(const bbipc_core *core, const uint8_t *words, uint64_t count, uint32_t threads, uint8_t *out,
                            uint64_t *failed);
/* Whether all points are on the curve, after their coordinates are reduced; 64 bytes 0xff are the point at infinity, and (0, 0)
 * is a point off the curve.
 * Returns: BBIPC_OK; BBIPC_NOT_ON_CURVE if one is not, BBIPC_BAD_ARGUMENT or _OUT_OF_MEMORY.
 * Out:     failed: the index of the first that is not, or count. */
int32_t bbipc_points_check(const bbipc_core *core, int32_t curve, const uint8_t *points, uint64_t count, uint32_t threads,
                           uint64_t *failed);
/* later = sum c_i P_(i+1) and earlier = sum c_i P_i, with c_i of 128 bits from the operating system's generator: unless every
 * P_(i+1) is x P_i, later is not x earlier, but with a probability of 2^-128.
 * Returns: BBIPC_OK; BBIPC_NOT_ON_CURVE, _BAD_ARGUMENT or _OUT_OF_MEMORY. */
int32_t bbipc_g1_combine_neighbours(const bbipc_core *core, const uint8_t *points, uint64_t count, uint32_t threads,
                                    uint8_t later[64], uint8_t earlier[64]);

/* The permutation of four elements. Returns: BBIPC_OK; BBIPC_BAD_ARGUMENT, _OUT_OF_MEMORY or _NOT_CANONICAL. */
int32_t bbipc_poseidon2_permute(const bbipc_core *core, const uint8_t in[128], uint8_t out[128]);
/* The hash of `count` elements. Returns: as bbipc_poseidon2_permute. */
int32_t bbipc_poseidon2_hash(const bbipc_core *core, const uint8_t *words, uint64_t count, uint8_t out[32]);
/* The same hash in several calls. Every call but the last one takes a multiple of three words, none takes 0 words.
 * Returns: as bbipc_poseidon2_permute; the state is then unchanged, unless it is BBIPC_OK.
 * In, out: state: four elements: at first 0, 0, 0 and 2^64 times the number of words of all calls; in the end the first one is
 *          the hash. */
int32_t bbipc_poseidon2_absorb(const bbipc_core *core, uint8_t state[128], const uint8_t *words, uint64_t count);
/* The hashes of `messages` messages, up to eight of them side by side where the machine can, so that many cost little more than
 * a fifth.
 * Returns: as bbipc_poseidon2_permute.
 * In:      words: the messages, one after the other; message i has counts[i] words.
 * Out:     out: 32 * messages bytes. */
int32_t bbipc_poseidon2_hash_many(const bbipc_core *core, const uint8_t *words, const uint64_t *counts, uint64_t messages,
                                  uint8_t *out);

/* ---- Cheap requests of the wire (docs/protocol.md) ------------------------------------------------------------------ */

/* The commands that are answered here, if the rules allow it. */
typedef enum bbipc_cheap {
    BBIPC_CHEAP_POSEIDON2_HASH = 0,
    BBIPC_CHEAP_POSEIDON2_PERMUTATION = 1,
    BBIPC_CHEAP_BLAKE2S = 2,
    BBIPC_CHEAP_BLAKE2S_TO_FIELD = 3,
    BBIPC_CHEAP_GRUMPKIN_MUL = 4,
    BBIPC_CHEAP_GRUMPKIN_ADD = 5,
    BBIPC_CHEAP_GRUMPKIN_REDUCE512 = 6,
    BBIPC_CHEAP_BN254_FR_SQRT = 7,
    BBIPC_CHEAP_BN254_FQ_SQRT = 8,
    BBIPC_CHEAP_BN254_G1_MUL = 9,
    BBIPC_CHEAP_BN254_G1_IS_ON_CURVE = 10,
    BBIPC_CHEAP_BN254_G1_FROM_COMPRESSED = 11,
    BBIPC_CHEAP_SET_MSM_LEGACY = 12,
    BBIPC_CHEAP_COMMANDS = 13
} bbipc_cheap;

/* Why no more was answered. */
typedef enum bbipc_stopped {
    BBIPC_STOPPED_INPUT = 0,  /* nothing is left but perhaps the beginning of a frame of at most 4096 bytes */
    BBIPC_STOPPED_OTHER = 1,  /* the next frame is not answered here: another command, an error, a longer one ... */
    BBIPC_STOPPED_OUTPUT = 2, /* less than BBIPC_MAX_CHEAP_RESPONSE bytes of room are left */
    BBIPC_STOPPED_WORK = 3    /* the bound on work is reached */
} bbipc_stopped;

enum { BBIPC_MAX_CHEAP_RESPONSE = 256 };

/* What may be answered. */
typedef struct {
    uint32_t commands;         /* bit i: command i of BBIPC_CHEAP_... */
    int32_t envelope;          /* all requests come in envelopes; else they are plain or tagged */
    int32_t plain;             /* plain requests, too: their connection owes no earlier plain response */
    uint32_t max_payload;      /* longer ones are not; 4096 at most */
    uint64_t max_work;         /* about microseconds; the request that exceeds it is still answered */
    const uint64_t *in_flight; /* ids of this connection that are not: their requests are in flight */
    uint64_t in_flight_count;
} bbipc_answer_rules;

typedef struct {
    uint64_t consumed; /* bytes of the input whose requests are answered */
    uint64_t produced; /* bytes of the responses */
    uint64_t work;
    int32_t stopped;                         /* BBIPC_STOPPED_... */
    uint32_t answered[BBIPC_CHEAP_COMMANDS]; /* how many of each command */
} bbipc_answered;

/* Answer the requests at the beginning of a run of frames (4-byte little-endian length, payload) with frames of the same kind:
 * those that cost little, are well formed, and have an answer that is not an ErrorResponse. Stops at the first other one. The
 * responses have the bytes that the rules in bbipc/server give. No error is possible: what fails here is not answered here.
 * In:  rules: what may be answered. in: in_length bytes, which must not change meanwhile: what stands in shared memory is
 *      copied first.
 * Out: out: the responses; out_length bytes may be written, answered->produced are. answered: how far it came, and why no
 *      further. */
void bbipc_answer_frames(const bbipc_core *core, const bbipc_answer_rules *rules, const uint8_t *in, uint64_t in_length,
                         uint8_t *out, uint64_t out_length, bbipc_answered *answered);

/* The same for one payload without its length, and a response without one.
 * In:  as for bbipc_answer_frames.
 * Out: as for bbipc_answer_frames; answered->produced is 0 if it is not answered. */
void bbipc_answer_message(const bbipc_core *core, const bbipc_answer_rules *rules, const uint8_t *payload, uint64_t length,
                          uint8_t *out, uint64_t out_length, bbipc_answered *answered);

/* ---- Lanes: connections whose clients ask for one cheap thing after the other ---------------------------------------- */

/* A thread that answers the requests of one connection at a time. */
typedef struct bbipc_lane bbipc_lane;

/* What the thread has left to others. */
typedef struct {
    uint64_t requests;    /* that were answered */
    uint64_t received;    /* bytes of these requests */
    uint64_t sent;        /* bytes of their responses */
    int32_t error;        /* errno of the read that failed; 0: none did */
    uint32_t rest_size;   /* bytes that were read, but not answered: frames, the last of which may be cut */
    uint32_t unsent_size; /* bytes of the last response that were not sent: there was no room, or nobody will read them */
    uint8_t rest[8192];
    uint8_t unsent[256];
} bbipc_lane_left;

/* Returns: a lane; null if there is no memory, or no descriptor. */
bbipc_lane *bbipc_lane_new(void);
/* No other call may be under way with it. */
void bbipc_lane_free(bbipc_lane *lane);

/* Read requests from one descriptor and write the responses to another, one thread at a time. Ends when a request is not for
 * bbipc_answer_frames, when a second one is there before the first is answered, when a response could not be written at once,
 * at the end of the input, after `idle` milliseconds without input, after `longest` milliseconds, and when it is interrupted.
 * In:  rules: as for bbipc_answer_frames; plain and max_work do not matter as long as nothing of the connection is in flight.
 *      receive, send: sockets, or pipes with O_NONBLOCK. idle, longest: milliseconds.
 * Out: left: what was read and not answered, and made and not sent; zeros if a pointer is null. */
void bbipc_lane_serve(bbipc_lane *lane, const bbipc_core *core, const bbipc_answer_rules *rules, int32_t receive, int32_t send,
                      uint32_t idle, uint32_t longest, bbipc_lane_left *left);
/* End bbipc_lane_serve, from any thread.
 * In:  on: 1: it ends at once, also one that begins later; 0: no longer. */
void bbipc_lane_interrupt(bbipc_lane *lane, int32_t on);
/* Take the counts of the requests that were answered since the last call, from any thread.
 * Out: counts: for each bbipc_cheap, every request whose response somebody may have. */
void bbipc_lane_take_counts(bbipc_lane *lane, uint64_t counts[BBIPC_CHEAP_COMMANDS]);

/* ---- Shared memory: one direction of a connection (docs/protocol.md) ------------------------------------------------- */

/* A ring of messages between two processes, in a file of /dev/shm: 256 bytes of control words, then `capacity` bytes, a power
 * of two. The other process may change all of it at any time; that makes the ring broken, and has no other effect. One thread
 * at a time may take; any may put. */
typedef struct bbipc_ring bbipc_ring;

/* Make a ring in a new file; the other side sees none before bbipc_ring_publish.
 * Returns: the ring; null if no such ring is possible, or memory is out.
 * In:      file: a descriptor of 256 + capacity bytes of zeros; it may be closed afterwards.
 * Out:     message: as for bbipc_core_new. */
bbipc_ring *bbipc_ring_new(int32_t file, uint64_t capacity, char *message);
/* Open a ring that another process has published.
 * Returns: the ring; null as for bbipc_ring_new, and with an empty message if it is not published yet.
 * In:      file: a descriptor of file_size bytes; it may be closed afterwards.
 * Out:     message: as for bbipc_core_new. */
bbipc_ring *bbipc_ring_open(int32_t file, uint64_t file_size, char *message);
/* Let the other side see a new ring. */
void bbipc_ring_publish(bbipc_ring *ring);
/* No other call may be under way with it. The file stays. */
void bbipc_ring_free(bbipc_ring *ring);

/* Returns: the bytes of the longest message that it takes. */
uint64_t bbipc_ring_max_message(const bbipc_ring *ring);
/* Returns: what is wrong with the memory, a text that lives as long as the program; null as long as nothing is. */
const char *bbipc_ring_fault(const bbipc_ring *ring);

/* Take whole messages, each with its 4-byte length in front, as many as fit.
 * Returns: BBIPC_OK; BBIPC_RING_NOTHING, _NO_SPACE, _BROKEN or BBIPC_BAD_ARGUMENT.
 * Out:     out: room bytes. size: how many were written; of BBIPC_RING_NO_SPACE, how many the next message alone needs. */
int32_t bbipc_ring_take(bbipc_ring *ring, uint8_t *out, uint64_t room, uint64_t *size);
/* Put whole messages of such a run, as many as there is room for.
 * Returns: BBIPC_OK; BBIPC_RING_NOTHING if there is room for none, _TOO_LONG, _BROKEN or BBIPC_BAD_ARGUMENT.
 * In:      frames: length bytes.
 * Out:     written: the bytes of those that were put. */
int32_t bbipc_ring_put(bbipc_ring *ring, const uint8_t *frames, uint64_t length, uint64_t *written);

/* Sleep until there is something to take, at most so many milliseconds.
 * Returns: BBIPC_OK, also for a ring that is broken: bbipc_ring_take says so; BBIPC_RING_NOTHING when the time is over,
 *          _INTERRUPTED or BBIPC_BAD_ARGUMENT. */
int32_t bbipc_ring_wait_for_data(bbipc_ring *ring, uint32_t milliseconds);
/* Sleep until there is room for a message of `length` bytes, at most so many milliseconds.
 * Returns: BBIPC_OK; BBIPC_RING_TOO_LONG if there never is, _BROKEN, _NOTHING when the time is over, _INTERRUPTED or
 *          BBIPC_BAD_ARGUMENT. */
int32_t bbipc_ring_wait_for_room(bbipc_ring *ring, uint64_t length, uint32_t milliseconds);
/* Answer requests as bbipc_answer_message does, and sleep between them, at most so many milliseconds (a tenth of a second from
 * the first answer on). Ends at the first request that is not answered here.
 * Returns: BBIPC_OK: there is such a request; BBIPC_RING_NOTHING when the time is over, or as bbipc_ring_take.
 * In:      rules: as for bbipc_answer_frames.
 * Out:     out, size: as for bbipc_ring_take, the request that is not answered. answered: in any case. */
int32_t bbipc_ring_serve(bbipc_ring *requests, bbipc_ring *responses, const bbipc_core *core, const bbipc_answer_rules *rules,
                         uint32_t milliseconds, uint8_t *out, uint64_t room, uint64_t *size, bbipc_answered *answered);
/* End the sleep of another thread, within a tenth of a second at the latest, from any thread.
 * In:  on: 1: that sleep and every further one ends at once; 0: no longer. */
void bbipc_ring_interrupt(bbipc_ring *ring, int32_t on);

#ifdef __cplusplus
}
#endif
#endif
