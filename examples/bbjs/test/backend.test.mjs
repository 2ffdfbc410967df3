// The backend with the real bb.js 5.0.0, against a real bbipc. BBIPC may say how that is started ("python -m bbipc").

import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AztecClientBackend, BackendType, Barretenberg, findBbBinary } from '@aztec/bb.js';
import { decode, encode } from 'msgpackr';
import { BbipcBackend, ConnectionLostError } from '../bbipc-backend.mjs';
import { COMMAND, SETUP, samples } from '../samples.mjs';

const COUNT = 32;
const blake2s = encode([['Blake2s', { data: Buffer.from('abc') }]]);
const DIGEST = '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982';

describe('one bbipc', () => {
  let backend, folder;
  before(async () => {
    backend = await BbipcBackend.start(COMMAND, SETUP);
    folder = await mkdtemp(join(tmpdir(), 'bbjs-test-'));
  });
  after(async () => {
    await backend.destroy();
    await rm(folder, { recursive: true });
  });

  test('32 verifications at once get their own verdicts, while plain calls go on', async () => {
    const proofs = samples(COUNT, index => index % 3 === 0);
    const client = new AztecClientBackend([], new Barretenberg(backend.concurrent, {}));
    const api = new Barretenberg(backend, {});
    const verdicts = Promise.all(proofs.map(({ proof, vk }) => client.verify(proof, vk)));
    for (let i = 0; i < COUNT; i++) {
      const { hash } = await api.blake2s({ data: Buffer.from('abc') });
      assert.equal(Buffer.from(hash).toString('hex'), DIGEST);
    }
    assert.deepEqual(await verdicts, proofs.map(({ valid }) => valid));
  });

  test('whole transactions', async () => {
    const tx = await readFile(new URL('../../../tests/data/aztec/e2e-test-setup/rollup.compressed.tx.bin', import.meta.url));
    const verdict = await backend.verifyTx(tx);
    assert.equal(verdict.valid, false); // its key tree is invented
    assert.match(verdict.reason, /Incorrect verification keys tree root/);
    assert.deepEqual(Buffer.from(verdict.txHash), tx.subarray(0, 32));
    assert.match((await backend.verifyTx(tx, { network: 'mainnet' })).reason, /Incorrect/);
    await assert.rejects(backend.verifyTx(tx.subarray(1)), /VerifyTx: /);
    await assert.rejects(backend.verifyTx(tx, { network: 'nowhere' }), /unknown network/);
  });

  test('one after the other, plain', async () => {
    const client = new AztecClientBackend([], new Barretenberg(backend, {}));
    for (const { proof, vk, valid } of samples(4, index => index === 2)) {
      assert.equal(await client.verify(proof, vk), valid);
    }
  });

  test('an error response rejects one call only', async () => {
    const api = new Barretenberg(backend.concurrent, {});
    const [bad, good] = await Promise.allSettled([
      api.chonkVerifyFromFields({ proof: [], vk: new Uint8Array(3) }),
      api.blake2s({ data: new Uint8Array() }),
    ]);
    assert.match(bad.reason.message, /verification key has wrong size: expected 3680, got 3/);
    assert.equal(good.status, 'fulfilled');
  });

  test('an aborted call is rejected, and the connection goes on', async () => {
    const controller = new AbortController();
    const call = backend.callAsync(blake2s, { signal: controller.signal });
    controller.abort(new Error('not needed'));
    await assert.rejects(call, /not needed/);
    await assert.rejects(backend.callAsync(blake2s, { signal: controller.signal }), /not needed/);
    assert.equal(decode(await backend.callAsync(blake2s))[0], 'Blake2sResponse');
    assert.equal(decode(await backend.call(blake2s))[0], 'Blake2sResponse');
  });

  test('what is no request is refused without being sent', async () => {
    await assert.rejects(backend.callAsync(encode([1, ['Blake2s', {}]])), TypeError);
  });

  // bb.js 5.0.0 starts bbPath itself; commands that only bb has go to the bb of the package.
  test('bbPath = bbipc, with forwarding', { skip: !findBbBinary() && 'no native bb for this platform' }, async () => {
    const bbPath = join(folder, 'bbipc');
    const quoted = [...COMMAND].map(word => `'${word}'`).join(' ');
    await writeFile(bbPath, `#!/bin/sh\nexec ${quoted} "$@" --bb '${findBbBinary()}'\n`);
    await chmod(bbPath, 0o755);
    const ours = await Barretenberg.new({ bbPath, backend: BackendType.NativeUnixSocket });
    const theirs = await Barretenberg.new({ backend: BackendType.NativeUnixSocket });
    try {
      const inputs = [1, 2].map(value => Buffer.from([...new Uint8Array(31), value]));
      assert.deepEqual(await ours.pedersenHash({ inputs, hashIndex: 0 }), await theirs.pedersenHash({ inputs, hashIndex: 0 }));
      const key = { privateKey: inputs[1] };
      assert.deepEqual(await ours.schnorrComputePublicKey(key), await theirs.schnorrComputePublicKey(key));
      assert.deepEqual(await ours.poseidon2Hash({ inputs }), await theirs.poseidon2Hash({ inputs }));
    } finally {
      await ours.destroy();
      await theirs.destroy();
    }
  });
});

// As README says: a bare name is not looked up, and only who asks for a native backend hears of it. (Without `backend` bb.js takes
// WebAssembly, which then wants to fetch its points: that is left out.)
test('a bare name in BB_BINARY_PATH', async () => {
  const before = process.env.BB_BINARY_PATH;
  process.env.BB_BINARY_PATH = 'bbipc';
  try {
    assert.equal(findBbBinary(), null);
    await assert.rejects(Barretenberg.new({ backend: BackendType.NativeUnixSocket }), /requires bb binary/);
  } finally {
    if (before === undefined) delete process.env.BB_BINARY_PATH;
    else process.env.BB_BINARY_PATH = before;
  }
});

describe('servers that misbehave', () => {
  let folder;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'bbjs-test-'))));
  after(() => rm(folder, { recursive: true }));

  /** The backend of a server that answers the first request with `frames`, then does `then`. */
  async function against(name, frames, then) {
    const path = join(folder, `${name}.sock`);
    const server = createServer(socket => {
      socket.on('error', () => {});
      socket.once('data', () => {
        for (const payload of frames) {
          const header = Buffer.alloc(4);
          header.writeUInt32LE(payload.length);
          socket.write(Buffer.concat([header, payload]));
        }
        then(socket);
      });
    });
    await new Promise(resolve => server.listen(path, resolve));
    const backend = await BbipcBackend.connect(path);
    return { backend, stop: () => backend.destroy().then(() => server.close()) };
  }

  const cases = {
    dies: [[], socket => socket.destroy(), /ended the connection/],
    'answers an unknown id': [[encode([77, ['Blake2sResponse', {}]])], () => {}, /id 77, which no request has/],
    'answers without id': [[encode(['Blake2sResponse', {}])], () => {}, /a response to no request/],
    'sends garbage': [[Buffer.from([0xc1])], () => {}, /a response to no request/],
    'ends inside a frame': [[], socket => socket.end(Buffer.from([9, 0, 0, 0, 1])), /ended the connection/],
  };
  for (const [name, [frames, then, message]] of Object.entries(cases)) {
    test(name, async () => {
      const { backend, stop } = await against(name.replaceAll(' ', '_'), frames, then);
      const calls = [backend.callAsync(blake2s), backend.callAsync(blake2s)];
      for (const { reason } of await Promise.allSettled(calls)) {
        assert.ok(reason instanceof ConnectionLostError);
        assert.match(reason.message, message);
      }
      await assert.rejects(backend.call(blake2s), ConnectionLostError);
      await stop();
    });
  }

  test('stalls: destroy() rejects what waits', async () => {
    const { backend, stop } = await against('stalls', [], () => {});
    const call = assert.rejects(backend.callAsync(blake2s), /destroyed/);
    await stop();
    await call;
  });

  test('responses in pieces, several in one piece', async () => {
    const responses = [2, 1].map(id => encode([id, ['Blake2sResponse', { hash: Buffer.alloc(32, id) }]]));
    const { backend, stop } = await against('pieces', responses, () => {});
    const [one, two] = await Promise.all([backend.callAsync(blake2s), backend.callAsync(blake2s)]);
    assert.deepEqual([decode(one)[1].hash[0], decode(two)[1].hash[0]], [1, 2]);
    await stop();
  });

  test('nobody listens, or the program ends', async () => {
    await assert.rejects(BbipcBackend.connect(join(folder, 'nobody.sock')), /ENOENT/);
    await assert.rejects(BbipcBackend.start(['false']), /false ended with status 1/);
    await assert.rejects(BbipcBackend.start(['/no/such/program']), /cannot start/);
  });
});
