// The browser test: real Chromium tabs, the real binary, the real page.
//
//   RELAYHOUSE_BIN=target/debug/relayhouse node tests/browser/run.mjs
//
// SCREENSHOTS=folder keeps pictures of every view, ONLY=words runs the groups whose name has them, CHROMIUM_BIN names
// another browser.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { account } from './account.mjs';
import { boards, crowdedBoards } from './boards.mjs';
import { aCall } from './call.mjs';
import { everyone } from './everyone.mjs';
import { closed } from './closed.mjs';
import { FULL, ONE_EACH, ONE_NETWORK, SHARED, closedTest, connectivity, fullTest, quotaTest, refusedPeersTest } from './connectivity.mjs';
import { crowd } from './crowd.mjs';
import { files } from './files.mjs';
import { lobby } from './lobby.mjs';
import { SHORT, network, networkLater } from './network.mjs';
import { complaintsOf, launch, open } from './pages.mjs';
import { LISTED, sdk } from './sdk.mjs';
import { fingerprint, freePort, startServer } from './server.mjs';
import { onOnePort, onSeparatePorts } from './transports.mjs';
import { trouble } from './trouble.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BINARY = resolve(ROOT, process.env.RELAYHOUSE_BIN ?? 'target/debug/relayhouse');
const SHOTS = process.env.SCREENSHOTS;
const A_TEST_MS = 180_000;

/** What every group of tests is given. */
class House {
  /** @type {import('playwright-core').Browser} */ browser;
  /** @type {Awaited<ReturnType<typeof startServer>>} */ server;
  /** @type {import('playwright-core').Page[]} */ pages = [];

  get origin() { return this.server.origin; }

  async open(how) {
    const page = await open(this.browser, how);
    this.pages.push(page);
    return page;
  }

  /** Asserts that no page complained, and closes them all. */
  async closePages() {
    const all = [];
    for (const page of this.pages.splice(0)) {
      all.push(...await complaintsOf(page));
      await page.context().close();
    }
    assert.deepEqual(all, [], 'console errors or policy violations');
  }

  /** `fullPage`: also what one has to scroll to. */
  async shot(page, name, { fullPage = false } = {}) {
    if (SHOTS) await page.screenshot({ path: resolve(SHOTS, `${name}.png`), fullPage });
  }

  /** A test whose failure shows what the server logged and what the pages looked like. */
  test(name, body) {
    test(name, { timeout: A_TEST_MS }, async () => {
      try {
        await body();
      } catch (cause) {
        console.error(`\n--- ${name}: the server's last words ---\n${this.server.log()}\n---`);
        for (const [at, page] of this.pages.entries()) {
          console.error(`page ${at + 1}: ${page.url().split('#')[0]} ${JSON.stringify(await complaintsOf(page))}`);
          await this.shot(page, `failed-${name.replace(/\W+/g, '-')}-${at + 1}`).catch(() => {});
        }
        throw cause;
      }
    });
  }

  /**
   * Its own server and browser for a group of tests. `goesOn`: they stay for a later group of this house.
   * @param {string} name @param {(house: House) => void} tests @param {object} [how] @param {{goesOn?: boolean}} [stays]
   */
  group(name, tests, how, { goesOn = false } = {}) {
    if (!name.includes(process.env.ONLY ?? '')) return this;
    describe(name, () => {
      before(async () => {
        if (this.server) return;
        if (SHOTS) await mkdir(SHOTS, { recursive: true });
        this.server = await startServer(BINARY, how);
        const [tls] = this.server.tls;
        this.browser = await launch({ trust: tls && await fingerprint(tls) });
      }, { timeout: A_TEST_MS });
      tests(this);
      if (!goesOn) after(() => this.close());
    });
    return this;
  }

  async close() {
    for (const page of this.pages.splice(0)) await page.context().close().catch(() => {});
    await this.browser?.close();
    await this.server?.stop();
  }
}

// A binary or browser that does not start is one sentence, not a screen of cancelled tests.
try {
  await (await startServer(BINARY)).stop();
  await (await launch()).close();
} catch (cause) {
  console.error(cause.message);
  process.exit(1);
}

const waiting = new House().group('networks', network, SHORT, { goesOn: true });
new House().group('a call over IPv4', aCall);
new House().group('a call whose relay is reached over IPv6', (house) => aCall(house, { brief: true }), { listen: '[::1]:0' });
new House().group('Chromium, each transport on ports of its own', onSeparatePorts, {
  listen: '127.0.0.1:0,[::1]:0', tls: '127.0.0.1:0,[::1]:0',
});
const port = await freePort();
new House().group('Chromium, every transport on one port', onOnePort, {
  listen: `127.0.0.1:${port},[::1]:${port}`, tls: `127.0.0.1:${port},[::1]:${port}`, http: `127.0.0.1:${port},[::1]:${port}`,
});
new House().group('a server that is closed to strangers', closed, { dev: false });
new House().group('people the server knows', account, { dev: false });
new House().group('what a host decides', lobby);
new House().group('files', files);
new House().group('the SDK', sdk, LISTED);
new House().group('the dashboard', boards, { dev: false });
new House().group('the dashboard, crowded', crowdedBoards, { dev: false });
new House().group('the connectivity test', connectivity, { ...SHARED, listen: '127.0.0.1:0,[::1]:0', tls: '127.0.0.1:0,[::1]:0' });
new House().group('the connectivity test, closed to strangers', closedTest, { ...SHARED, dev: false });
new House().group('the connectivity test, a quota', quotaTest, ONE_EACH);
new House().group('the connectivity test, a full server', fullTest, FULL);
new House().group('the connectivity test, no peers', refusedPeersTest, ONE_NETWORK);
new House().group('a crowd', crowd);
new House().group('for everyone', everyone);
new House().group('when something fails', trouble);
waiting.group('networks, a minute later', networkLater);
