/* bbipc core: an independent verifier of Chonk proofs (Aztec, bb.js 5.0.0).
 *
 * Plain C. All functions are safe to call from any thread at the same time. No function throws, aborts or keeps a pointer
 * after it returns unless it says so. Field elements are 32-byte big-endian canonical integers; points are x followed by y,
 * 64 bytes, with 64 zero bytes for the point at infinity, unless a function says otherwise.
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
enum {
    BBIPC_ERROR = 0,     /* could not be decoded, or not decided at all: see `message`, `part` and `position` */
    BBIPC_VALID = 1,     /* every check passed */
    BBIPC_INVALID = 2,   /* well formed, but a check failed: see `step` */
    BBIPC_CANCELLED = 3  /* the cancel flag was set before a verdict was reached */
};

/* The checks, in the order in which they decide (chapter 00 section 5). */
enum {
    BBIPC_STEP_NONE = 0,
    BBIPC_STEP_OINK = 1,              /* "Oink": a denominator of public_input_delta is zero */
    BBIPC_STEP_PI_PAIRING = 2,        /* "PI pairing points" */
    BBIPC_STEP_DATABUS = 3,           /* "databus consistency" */
    BBIPC_STEP_MERGE_REDUCTION = 4,   /* "Merge reduction" */
    BBIPC_STEP_MERGE_PAIRING = 5,     /* "Merge pairing" */
    BBIPC_STEP_ECCVM = 6,             /* "ECCVM step" */
    BBIPC_STEP_JOINT_REDUCTION = 7,   /* "batched translator+joint reduction" */
    BBIPC_STEP_JOINT_PAIRING = 8,     /* "batched translator+joint pairing" */
    BBIPC_STEP_IPA = 9                /* "IPA" */
};

/* Where an error was found. */
enum {
    BBIPC_PART_NONE = 0,
    BBIPC_PART_HIDING_OINK = 1,
    BBIPC_PART_MERGE = 2,
    BBIPC_PART_ECCVM = 3,
    BBIPC_PART_IPA = 4,
    BBIPC_PART_JOINT = 5,
    BBIPC_PART_KEY = 6,
    BBIPC_PART_FLAT = 7               /* the flat list of fields or the compressed words */
};

typedef struct {
    int32_t outcome;      /* BBIPC_VALID ... */
    int32_t step; /* the failing step when outcome is BBIPC_INVALID; when it is BBIPC_ERROR the step that was reading, or
                     BBIPC_STEP_NONE if the error came before all steps */
    int32_t part;         /* BBIPC_PART_...: where the error is, when outcome is BBIPC_ERROR */
    int32_t reserved;
    int64_t position;     /* index of the offending 32-byte word within that part; -1 if the error has no position */
    char message[232];    /* zero-terminated ASCII; empty unless outcome is BBIPC_ERROR */
} bbipc_verdict;

/* ---- Arithmetic paths ---------------------------------------------------------------------------------------------- */

enum {
    BBIPC_ARITH_AUTO = 0,
    BBIPC_ARITH_PORTABLE = 1,  /* 4 x 64-bit limbs, unsigned __int128 */
    BBIPC_ARITH_ADX = 2,       /* x86-64 mulx/adcx/adox */
    BBIPC_ARITH_IFMA = 3       /* the former, and AVX-512 IFMA (8 lanes of 5 x 52 bits) where there is work for 8 */
};

/* 1 if this machine and build can run `arith`, else 0. */
int32_t bbipc_arith_supported(int32_t arith);

/* ---- The context --------------------------------------------------------------------------------------------------- */

/* An immutable context: a trusted setup, an arithmetic path, and (internally locked, bounded) a cache of decoded keys. */
typedef struct bbipc_core bbipc_core;

/* Make a context. g2_x: [x]_2 as x.c0 | x.c1 | y.c0 | y.c1 (chapter 01 section 4); translator_key: the commitment of chapter
 * 10.3, x | y. Both null: the Aztec setup. Returns null and fills `message` (if not null, at least 232 bytes) when a value is
 * non-canonical, off its curve, not in the subgroup, or when `arith` is not supported here. */
bbipc_core *bbipc_core_new(const uint8_t *g2_x, const uint8_t *translator_key, int32_t arith, char *message);
void bbipc_core_free(bbipc_core *core);

/* The path in use: BBIPC_ARITH_PORTABLE, _ADX or _IFMA. */
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

/* Verify one proof. threads: upper bound on threads used, >= 1. cancel: null, or an int that another thread may set to
 * non-zero; it is read between steps. */
void bbipc_verify(const bbipc_core *core, const bbipc_proof *proof, const uint8_t *key, uint64_t key_length, uint32_t flags,
                  uint32_t threads, const int32_t *cancel, bbipc_verdict *verdict);

/* A proof after steps 0-8 without their pairings: a claim that bbipc_check decides. Copies all it needs. */
typedef struct bbipc_claim bbipc_claim;

/* Everything of one proof that needs no other proof. Never null unless memory is out. */
bbipc_claim *bbipc_reduce(const bbipc_core *core, const bbipc_proof *proof, const uint8_t *key, uint64_t key_length,
                          uint32_t flags, const int32_t *cancel);
/* bbipc_reduce of `count` proofs, side by side on one thread: several times faster than one by one where the machine has lanes for
 * it; groups of eight are cheapest. claims[i] becomes what bbipc_reduce gives for proof i. keys, key_lengths: as for
 * bbipc_verify_many. cancels: null, or `count` pointers (each may be null); one that is raised ends its proof and no other. */
void bbipc_reduce_many(const bbipc_core *core, const bbipc_proof *proofs, const uint8_t *const *keys, const uint64_t *key_lengths,
                       uint64_t count, uint32_t flags, const int32_t *const *cancels, bbipc_claim **claims);
void bbipc_claim_free(bbipc_claim *claim);

/* Decide `count` claims of this context together: verdicts[i] equals the verdict bbipc_verify gives for that proof alone. A
 * claim of another context is an error: its proof was reduced under another setup.
 * cancels: null, or `count` pointers (each may be null) to cancel flags. */
void bbipc_check(const bbipc_core *core, const bbipc_claim *const *claims, uint64_t count, uint32_t threads,
                 const int32_t *const *cancels, bbipc_verdict *verdicts);

/* Verify `count` proofs together: reduces them on up to `threads` threads, then decides them as bbipc_check does. keys[i] has
 * key_lengths[i] bytes. verdicts[i] equals the verdict bbipc_verify gives for that proof alone. */
void bbipc_verify_many(const bbipc_core* core, const bbipc_proof* proofs, const uint8_t* const* keys,
                       const uint64_t* key_lengths, uint64_t count, uint32_t flags, uint32_t threads, const int32_t* cancel,
                       bbipc_verdict* verdicts);

/* Decode a key alone. words: log_circuit_size, num_public_inputs, pub_inputs_offset. hash: its Poseidon2 hash, 32 bytes. */
int32_t bbipc_key_inspect(const bbipc_core *core, const uint8_t *key, uint64_t key_length, uint64_t words[3], uint8_t hash[32],
                          bbipc_verdict *verdict);

/* ---- Proof encodings (chapter 03) ---------------------------------------------------------------------------------- */

/* Split `total` flat words for a key with `num_public_inputs`: fills count[5], or returns BBIPC_ERROR with the message. */
int32_t bbipc_proof_split(uint64_t total, uint64_t num_public_inputs, uint64_t count[5], bbipc_verdict *verdict);

/* out: room for 32 * (697 + npi) bytes where npi = count[0] - 48. Returns BBIPC_VALID, or BBIPC_ERROR. */
int32_t bbipc_proof_compress(const bbipc_core *core, const bbipc_proof *proof, uint8_t *out, uint64_t out_length,
                             bbipc_verdict *verdict);

/* out: room for 32 * (1242 + npi) bytes, npi = in_length / 32 - 697; receives the flat proof. */
int32_t bbipc_proof_decompress(const bbipc_core *core, const uint8_t *in, uint64_t in_length, uint8_t *out, uint64_t out_length,
                               bbipc_verdict *verdict);

/* ---- Primitive operations (for the wire's cheap commands, and for tests) -------------------------------------------- */

enum { BBIPC_FR = 0, BBIPC_FQ = 1 };            /* fields: chapter 01 section 1 */
enum { BBIPC_G1 = 0, BBIPC_GRUMPKIN = 1 };      /* curves */
enum { BBIPC_ADD = 0, BBIPC_SUB = 1, BBIPC_MUL = 2, BBIPC_SQR = 3, BBIPC_NEG = 4, BBIPC_INV = 5, BBIPC_SQRT = 6 };

/* All of these return 0 on success, or: */
enum {
    BBIPC_NOT_CANONICAL = 1,  /* an input is not below its modulus */
    BBIPC_NOT_ON_CURVE = 2,
    BBIPC_NO_RESULT = 3,      /* inverse of zero, square root of a non-square, no point with this x */
    BBIPC_BAD_ARGUMENT = 4,
    BBIPC_OUT_OF_MEMORY = 5
};

/* out = a op b; b may be null for operations of one operand (BBIPC_SQR ...). */
int32_t bbipc_field_op(const bbipc_core *core, int32_t field, int32_t op, const uint8_t *a, const uint8_t *b, uint8_t *out);
/* Reduce 64 big-endian bytes modulo the field. */
int32_t bbipc_field_reduce512(const bbipc_core *core, int32_t field, const uint8_t in[64], uint8_t out[32]);

int32_t bbipc_point_add(const bbipc_core *core, int32_t curve, const uint8_t a[64], const uint8_t b[64], uint8_t out[64]);
int32_t bbipc_point_mul(const bbipc_core* core, int32_t curve, const uint8_t point[64], const uint8_t scalar[32],
                        uint8_t out[64]);
/* sum of scalars[i] * points[i], count <= 2^24; scalars are elements of the curve's scalar field. */
int32_t bbipc_point_msm(const bbipc_core *core, int32_t curve, const uint8_t *points, const uint8_t *scalars, uint64_t count,
                        uint8_t out[64]);
/* out[i] = scalar * points[i] */
int32_t bbipc_point_batch_mul(const bbipc_core *core, int32_t curve, const uint8_t *points, const uint8_t scalar[32],
                              uint64_t count, uint8_t *out);
/* sum of scalars[i] * generator i (chapter 01 section 6), count <= 32768. */
int32_t bbipc_generators_msm(const bbipc_core *core, const uint8_t *scalars, uint64_t count, uint32_t threads, uint8_t out[64]);
/* Generators first .. first + count - 1 as x | y. */
int32_t bbipc_generators(const bbipc_core *core, uint64_t first, uint64_t count, uint8_t *out);

/* G2: 128 bytes, x.c0 | x.c1 | y.c0 | y.c1; infinity is 128 zero bytes. */
int32_t bbipc_g2_mul(const bbipc_core *core, const uint8_t point[128], const uint8_t scalar[32], uint8_t out[128]);
/* product of e(g1[i], g2[i]) over `count` pairs; is_one: 1 if it is the identity. gt: null, or 384 bytes for the value
 * (12 coefficients, c0 to c11 of the tower in the order documented in csrc/pairing/fq12.hpp). */
int32_t bbipc_pairing(const bbipc_core* core, const uint8_t* g1, const uint8_t* g2, uint64_t count, int32_t* is_one,
                      uint8_t* gt);

/* ---- Reference strings (for the commands SrsInitSrs and SrsInitGrumpkinSrs), on up to `threads` threads ---- */

/* Points of G1, 64 bytes each in `out`, from 32 bytes each: x in bits 0 to 254, the parity of y in bit 255. BBIPC_NO_RESULT if there
 * is a word that is no point: *failed is the index of the first. */
int32_t bbipc_g1_decompress(const bbipc_core *core, const uint8_t *words, uint64_t count, uint32_t threads, uint8_t *out,
                            uint64_t *failed);
/* Whether all points are on the curve, after their coordinates are reduced; 64 bytes 0xff are the point at infinity, and (0, 0)
 * is a point off the curve. BBIPC_NOT_ON_CURVE if not: *failed is the index of the first. */
int32_t bbipc_points_check(const bbipc_core *core, int32_t curve, const uint8_t *points, uint64_t count, uint32_t threads,
                           uint64_t *failed);
/* later = sum c_i P_(i+1) and earlier = sum c_i P_i, with c_i of 128 bits from the operating system's generator: unless every
 * P_(i+1) is x P_i, later is not x earlier, but with a probability of 2^-128. */
int32_t bbipc_g1_combine_neighbours(const bbipc_core *core, const uint8_t *points, uint64_t count, uint32_t threads,
                                    uint8_t later[64], uint8_t earlier[64]);

int32_t bbipc_poseidon2_permute(const bbipc_core *core, const uint8_t in[128], uint8_t out[128]);
int32_t bbipc_poseidon2_hash(const bbipc_core *core, const uint8_t *words, uint64_t count, uint8_t out[32]);
/* The same hash in several calls. `state` is four elements: at first 0, 0, 0 and 2^64 times the number of words of all calls; in the
 * end the first one is the hash. Every call but the last one takes a multiple of three words, none takes 0 words. */
int32_t bbipc_poseidon2_absorb(const bbipc_core *core, uint8_t state[128], const uint8_t *words, uint64_t count);
/* The hashes of `messages` messages, which stand one after the other in `words`: message i has counts[i] words. out: 32 bytes for
 * each. Up to eight are hashed side by side where the machine can, so that many cost little more than a fifth. */
int32_t bbipc_poseidon2_hash_many(const bbipc_core *core, const uint8_t *words, const uint64_t *counts, uint64_t messages,
                                  uint8_t *out);

/* ---- Cheap requests of the wire (docs/protocol.md) ------------------------------------------------------------------ */

/* The commands that are answered here, if the rules allow it. */
enum {
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
};

/* Why no more was answered. */
enum {
    BBIPC_STOPPED_INPUT = 0,   /* nothing is left but perhaps the beginning of a frame of at most 4096 bytes */
    BBIPC_STOPPED_OTHER = 1,   /* the next frame is not answered here: another command, an error, a longer one ... */
    BBIPC_STOPPED_OUTPUT = 2,  /* less than BBIPC_MAX_CHEAP_RESPONSE bytes of room are left */
    BBIPC_STOPPED_WORK = 3     /* the bound on work is reached */
};

enum { BBIPC_MAX_CHEAP_RESPONSE = 256 };

/* What may be answered. */
typedef struct {
    uint32_t commands;          /* bit i: command i of BBIPC_CHEAP_... */
    int32_t envelope;           /* all requests come in envelopes; else they are plain or tagged */
    int32_t plain;              /* plain requests, too: their connection owes no earlier plain response */
    uint32_t max_payload;       /* longer ones are not; 4096 at most */
    uint64_t max_work;          /* about microseconds; the request that exceeds it is still answered */
    const uint64_t *in_flight;  /* ids of this connection that are not: their requests are in flight */
    uint64_t in_flight_count;
} bbipc_answer_rules;

typedef struct {
    uint64_t consumed;                        /* bytes of the input whose requests are answered */
    uint64_t produced;                        /* bytes of the responses */
    uint64_t work;
    int32_t stopped;                          /* BBIPC_STOPPED_... */
    uint32_t answered[BBIPC_CHEAP_COMMANDS];  /* how many of each command */
} bbipc_answered;

/* Answers the requests at the beginning of a run of frames (4-byte little-endian length, payload) with frames of the same kind:
 * those that cost little, are well formed, and have an answer that is not an ErrorResponse. Stops at the first other one. The
 * responses have the bytes that the rules in bbipc/server give. No error is possible. `in` must not change meanwhile: what
 * stands in shared memory is copied first. */
void bbipc_answer_frames(const bbipc_core *core, const bbipc_answer_rules *rules, const uint8_t *in, uint64_t in_length,
                         uint8_t *out, uint64_t out_length, bbipc_answered *answered);

/* The same for one payload without its length, and a response without one. Not answered: `produced` is 0. */
void bbipc_answer_message(const bbipc_core *core, const bbipc_answer_rules *rules, const uint8_t *payload, uint64_t length,
                          uint8_t *out, uint64_t out_length, bbipc_answered *answered);

/* ---- Lanes: connections whose clients ask for one cheap thing after the other ---------------------------------------- */

/* A thread that answers the requests of one connection at a time. */
typedef struct bbipc_lane bbipc_lane;

/* What the thread has left to others. */
typedef struct {
    uint64_t requests;       /* that were answered */
    uint64_t received;       /* bytes of these requests */
    uint64_t sent;           /* bytes of their responses */
    int32_t error;           /* errno of the read that failed; 0: none did */
    uint32_t rest_size;      /* bytes that were read, but not answered: frames, the last of which may be cut */
    uint32_t unsent_size;    /* bytes of the last response that were not sent: there was no room, or nobody will read them */
    uint8_t rest[8192];
    uint8_t unsent[256];
} bbipc_lane_left;

/* Null: no memory, or no descriptor. */
bbipc_lane *bbipc_lane_new(void);
/* Not while another thread is in it. */
void bbipc_lane_free(bbipc_lane *lane);

/* Reads requests from one descriptor and writes the responses to another: sockets, or pipes with O_NONBLOCK. Ends when a request is
 * not for bbipc_answer_frames, when a second one is there before the first is answered, when a response could not be written at once,
 * at the end of the input, after `idle` milliseconds without input, after `longest` milliseconds, and when it is interrupted.
 * rules->plain and max_work do not matter as long as nothing of the connection is in flight. One thread at a time. */
void bbipc_lane_serve(bbipc_lane *lane, const bbipc_core *core, const bbipc_answer_rules *rules, int32_t receive, int32_t send,
                      uint32_t idle, uint32_t longest, bbipc_lane_left *left);
/* on: ends bbipc_lane_serve at once, also one that begins later; off: no longer. For any thread. */
void bbipc_lane_interrupt(bbipc_lane *lane, int32_t on);
/* How many requests for each command were answered since the last call: every one whose response somebody may have. Any thread. */
void bbipc_lane_take_counts(bbipc_lane *lane, uint64_t counts[BBIPC_CHEAP_COMMANDS]);

/* ---- Shared memory: one direction of a connection (docs/protocol.md) ------------------------------------------------- */

/* A ring of messages between two processes, in a file of /dev/shm: 256 bytes of control words, then `capacity` bytes, a power of
 * two. The other process may change all of it at any time; that makes the ring broken, and has no other effect. One thread at a
 * time may take; any may put. */
typedef struct bbipc_ring bbipc_ring;

enum {
    BBIPC_RING_OK = 0,
    BBIPC_RING_NOTHING = 1,     /* nothing to take, no room to put, or the time is over */
    BBIPC_RING_NO_SPACE = 2,    /* `room` is too small for the message */
    BBIPC_RING_TOO_LONG = 3,    /* a message of more than capacity / 2 - 4 bytes */
    BBIPC_RING_BROKEN = 4,      /* see bbipc_ring_fault */
    BBIPC_RING_INTERRUPTED = 5
};

/* A ring in a new file (of zeros) of 256 + capacity bytes; the other side sees none before bbipc_ring_publish. The file may be
 * closed. Null, and a message in `message` (as for bbipc_core_new): no such ring is possible. */
bbipc_ring *bbipc_ring_new(int32_t file, uint64_t capacity, char *message);
/* A ring that another process has published in a file of `file_size` bytes; null as above, and with an empty message: not yet. */
bbipc_ring *bbipc_ring_open(int32_t file, uint64_t file_size, char *message);
void bbipc_ring_publish(bbipc_ring *ring);
/* No other call may be under way. The file stays. */
void bbipc_ring_free(bbipc_ring *ring);

uint64_t bbipc_ring_max_message(const bbipc_ring *ring);
/* What is wrong with the memory; null as long as nothing is. */
const char *bbipc_ring_fault(const bbipc_ring *ring);

/* Takes whole messages, each with its 4-byte length in front, as many as fit into `room`. BBIPC_RING_NO_SPACE: the next one alone
 * needs *size bytes. */
int32_t bbipc_ring_take(bbipc_ring *ring, uint8_t *out, uint64_t room, uint64_t *size);
/* Puts whole messages of such a run, as many as there is room for; *written: their bytes. BBIPC_RING_NOTHING: none. */
int32_t bbipc_ring_put(bbipc_ring *ring, const uint8_t *frames, uint64_t length, uint64_t *written);

/* Sleep, at most so many milliseconds, until there is something to take, or room for a message of `length` bytes. */
int32_t bbipc_ring_wait_for_data(bbipc_ring *ring, uint32_t milliseconds);
int32_t bbipc_ring_wait_for_room(bbipc_ring *ring, uint64_t length, uint32_t milliseconds);
/* Answers requests as bbipc_answer_message does, and sleeps between them, at most so many milliseconds (a tenth of a second from
 * the first answer on). Ends at the first request that is not answered here: BBIPC_RING_OK, and it is in `out`, as taken; else
 * BBIPC_RING_NOTHING, or as for bbipc_ring_take. `answered` counts in any case. */
int32_t bbipc_ring_serve(bbipc_ring *requests, bbipc_ring *responses, const bbipc_core *core, const bbipc_answer_rules *rules,
                         uint32_t milliseconds, uint8_t *out, uint64_t room, uint64_t *size, bbipc_answered *answered);
/* on: the sleep of another thread ends (within a tenth of a second at the latest), and so does every further one until it is
 * called with 0. */
void bbipc_ring_interrupt(bbipc_ring *ring, int32_t on);

#ifdef __cplusplus
}
#endif
#endif
