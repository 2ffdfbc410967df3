// A backend for bb.js 5.0.0 that talks to one bbipc over a Unix socket.
//
// It implements bb.js's IMsgpackBackendAsync (call, destroy). Its `call` sends plain requests, which are answered in the order
// in which they were made. Its `callAsync` sends tagged ones, each of which is answered as soon as it is ready. `concurrent` is
// the same backend with `callAsync` in the place of `call`: give it to Barretenberg, and everything bb.js does is tagged.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from 'msgpackr';

const HEADER_BYTES = 4;
const CONNECT_INTERVAL_MS = 10;
const MAX_ID = 0xffffffff;

/** The connection ended before the response came. */
export class ConnectionLostError extends Error {}

/** @implements {import('@aztec/bb.js').IMsgpackBackendAsync} */
export class BbipcBackend {
  #socket;
  #cleanUp;
  #plain = []; // {resolve, reject} of plain requests, in order
  #tagged = new Map(); // id -> {resolve, reject}
  #lastId = 0;
  #chunks = [];
  #received = 0;
  #lost = null; // why nothing can be sent any more
  #closed;

  /** Use connect() or start(). */
  constructor(socket, cleanUp = async () => {}) {
    this.#socket = socket;
    this.#cleanUp = cleanUp;
    this.#closed = new Promise(resolve => socket.once('close', resolve));
    socket.on('data', chunk => this.#receive(chunk));
    socket.on('error', error => this.#fail(new ConnectionLostError(`connection to bbipc lost: ${error.message}`)));
    socket.on('close', () => this.#fail(new ConnectionLostError('bbipc ended the connection')));
  }

  /** Connect to the bbipc (or bb) that listens at a socket. */
  static async connect(path) {
    return new BbipcBackend(await openSocket(path));
  }

  /** Start a server of our own: `command` and its arguments, to which `msgpack run --input SOCKET` and `options` are added. */
  static async start(command = ['bbipc'], options = []) {
    const folder = await mkdtemp(join(tmpdir(), 'bbipc-'));
    const path = join(folder, 'bbipc.sock');
    const [program, ...words] = command;
    const server = spawn(program, [...words, 'msgpack', 'run', '--input', path, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise(resolve => {
      server.once('error', error => resolve(`cannot start ${program}: ${error.message}`));
      server.once('exit', (code, signal) => resolve(`${program} ended with ${signal ?? `status ${code}`}`));
    });
    const cleanUp = async () => {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    };
    try {
      return new BbipcBackend(await retryUntil(ended, () => openSocket(path)), cleanUp);
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  /** A plain request: `input` is the msgpack of [Command], the result that of its response. Answered in order. */
  call(input) {
    return this.#send(pending => this.#plain.push(pending), [input]);
  }

  /**
   * The same request, tagged: answered when it is ready, whatever else is in flight. If `signal` aborts, the promise is
   * rejected with its reason, and the server is asked to stop working on the request.
   */
  callAsync(input, { signal } = {}) {
    if (input[0] !== 0x91) {
      return Promise.reject(new TypeError('expected the msgpack of [Command]: an array of one element'));
    }
    if (signal?.aborted) {
      return Promise.reject(signal.reason);
    }
    const id = this.#nextId();
    const response = this.#sendTagged(id, input.subarray(1));
    return signal ? this.#abortable(id, response, signal) : response;
  }

  /**
   * Is an Aztec transaction (the bytes of `tx.toBuffer()`) valid under the registry and the setup of the server? `network` is the
   * one that it must be for, if that matters. Resolves to {valid, txHash, reason}; what cannot be read is rejected.
   */
  async verifyTx(tx, { network, signal } = {}) {
    const [name, fields] = decode(await this.callAsync(encode([['VerifyTx', network ? { tx, network } : { tx }]]), { signal }));
    if (name !== 'VerifyTxResponse') {
      throw new Error(fields.message);
    }
    return { valid: fields.valid === true, txHash: fields.tx_hash, reason: fields.reason };
  }

  /** This backend with `callAsync` for `call`. */
  get concurrent() {
    return { call: input => this.callAsync(input), destroy: () => this.destroy() };
  }

  /** End the connection, and the server if start() made it. Requests without a response are rejected. */
  async destroy() {
    this.#fail(new ConnectionLostError('the backend was destroyed'));
    this.#socket.destroy();
    await this.#closed;
    await this.#cleanUp();
  }

  #nextId() {
    do {
      this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    } while (this.#tagged.has(this.#lastId));
    return this.#lastId;
  }

  #sendTagged(id, command) {
    return this.#send(pending => this.#tagged.set(id, pending), [Uint8Array.of(0x92), encodeId(id), command]);
  }

  #send(enqueue, pieces) {
    if (this.#lost) {
      return Promise.reject(this.#lost);
    }
    return new Promise((resolve, reject) => {
      enqueue({ resolve, reject });
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt32LE(pieces.reduce((sum, piece) => sum + piece.length, 0));
      this.#socket.write(Buffer.concat([header, ...pieces]));
    });
  }

  #abortable(id, response, signal) {
    return new Promise((resolve, reject) => {
      const abort = () => {
        reject(signal.reason);
        this.#sendTagged(this.#nextId(), encodeCancel(id)).catch(() => {}); // the late response is dropped, too
      };
      signal.addEventListener('abort', abort, { once: true });
      response.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  #receive(chunk) {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    for (let frame = this.#takeFrame(); frame && !this.#lost; frame = this.#takeFrame()) {
      this.#deliver(frame);
    }
  }

  /** The payload of the next complete frame, if there is one. Chunks are joined once per frame, not once per chunk. */
  #takeFrame() {
    if (this.#received < HEADER_BYTES) {
      return null;
    }
    if (this.#chunks[0].length < HEADER_BYTES) {
      this.#chunks = [Buffer.concat(this.#chunks)];
    }
    const end = HEADER_BYTES + this.#chunks[0].readUInt32LE();
    if (this.#received < end) {
      return null;
    }
    const bytes = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = bytes.length > end ? [bytes.subarray(end)] : [];
    this.#received = bytes.length - end;
    return bytes.subarray(HEADER_BYTES, end);
  }

  /** A tagged response is [id, [name, map]]; a plain one is [name, map], whose first element is a string. */
  #deliver(payload) {
    const id = payload[0] === 0x92 ? decodeId(payload) : null;
    const pending = id === null ? this.#plain.shift() : this.#tagged.get(id.value);
    if (!pending) {
      const what = id === null ? 'a response to no request' : `a response with id ${id.value}, which no request has`;
      this.#fail(new ConnectionLostError(`bbipc sent ${what}`));
      this.#socket.destroy();
      return;
    }
    if (id !== null) {
      this.#tagged.delete(id.value);
    }
    pending.resolve(Uint8Array.from(id === null ? payload : payload.subarray(id.end)));
  }

  #fail(error) {
    this.#lost ??= error;
    for (const { reject } of [...this.#plain.splice(0), ...this.#tagged.values()]) {
      reject(this.#lost);
    }
    this.#tagged.clear();
  }
}

function encodeId(id) {
  if (id < 0x80) {
    return Uint8Array.of(id);
  }
  const bytes = Buffer.alloc(5);
  bytes[0] = 0xce;
  bytes.writeUInt32BE(id, 1);
  return bytes;
}

/** The unsigned integer behind the first byte of `payload`; null if there is something else. */
function decodeId(payload) {
  const tag = payload[1];
  if (tag < 0x80) {
    return { value: tag, end: 2 };
  }
  switch (tag) {
    case 0xcc:
      return { value: payload.readUInt8(2), end: 3 };
    case 0xcd:
      return { value: payload.readUInt16BE(2), end: 4 };
    case 0xce:
      return { value: payload.readUInt32BE(2), end: 6 };
    case 0xcf:
      return { value: Number(payload.readBigUInt64BE(2)), end: 10 };
    default:
      return null;
  }
}

/** ["CancelRequest", {"request_id": id}] */
function encodeCancel(id) {
  return Buffer.concat([Buffer.from('\x92\xadCancelRequest\x81\xaarequest_id', 'latin1'), encodeId(id)]);
}

function openSocket(path) {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(path);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** What `attempt` returns, tried until it does not fail; fails with the text of `ended` when that comes first. */
async function retryUntil(ended, attempt) {
  let reason = null;
  ended.then(text => (reason = text));
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (reason !== null) {
        throw new Error(reason, { cause: error });
      }
      await new Promise(resolve => setTimeout(resolve, CONNECT_INTERVAL_MS));
    }
  }
}
