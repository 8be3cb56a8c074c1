// Opens pages that remember their connections and complaints, and drives them as a person would.

import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
  // Loopback is the only network a test can count on; Chromium leaves it out of ICE by default.
  '--allow-loopback-in-peer-connection',
];

export const SETTLES_WITHIN_MS = 20_000;

/** @param {{trust?: string}} [how] `trust`: the hash of a self-made certificate's key, for HTTPS and `turns:` alike */
export const launch = ({ trust } = {}) => chromium.launch({
  executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
  headless: true,
  args: [...FLAGS, ...(trust ? [`--ignore-certificate-errors-spki-list=${trust}`] : [])],
});

/** Runs in every page before its own scripts: keeps what the test wants to look at. */
function instrument() {
  window.seen = { connections: [], sockets: [], violations: [] };
  const { RTCPeerConnection: Connection, WebSocket: Socket } = window;
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration) {
      super(window.twistConfiguration?.(configuration) ?? configuration);
      window.seen.connections.push(this);
    }

    setConfiguration(configuration) {
      super.setConfiguration(window.twistConfiguration?.(configuration) ?? configuration);
    }
  };
  window.WebSocket = class extends Socket {
    constructor(...given) { super(...given); window.seen.sockets.push(this); }
  };
  document.addEventListener('securitypolicyviolation', (event) => {
    window.seen.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
  });
}

/** A small picture: a dozen large ones, coded without a graphics card, would leave nothing for the test. */
function smallVideo() {
  const devices = navigator.mediaDevices;
  const real = devices?.getUserMedia.bind(devices);
  if (real) devices.getUserMedia = (wanted) => real(wanted.video ? { ...wanted, video: { ...wanted.video, width: 320, height: 180, frameRate: 15 } } : wanted);
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {{width?: number, height?: number, dark?: boolean, large?: boolean, before?: () => void, expect?: RegExp}} [how]
 *   `large`: pictures as large as people get; `before` runs in the page first; `expect` is a console error that
 *   belongs to the test
 */
export async function open(browser, { width = 1100, height = 760, dark = false, large = false, before, expect } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: dark ? 'dark' : 'light',
    permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'],
  });
  await context.addInitScript(instrument);
  if (!large) await context.addInitScript(smallVideo);
  if (before) await context.addInitScript(before);
  const page = await context.newPage();
  page.setDefaultTimeout(SETTLES_WITHIN_MS);
  page.complaints = [];
  page.on('console', (message) => {
    const text = message.text();
    if (['error', 'warning'].includes(message.type()) && !expect?.test(text)) page.complaints.push(text);
  });
  page.on('pageerror', (error) => page.complaints.push(String(error.stack ?? error)));
  return page;
}

/** Console errors, exceptions and CSP violations since the page was opened. */
export async function complaintsOf(page) {
  const violations = await page.evaluate(() => window.seen?.violations ?? []).catch(() => []);
  return [...page.complaints, ...violations];
}

/** Makes a room through the page. */
export async function makeRoom(page, origin, { name = 'Ada Lovelace', relayOnly = true, link = '/', room = '', lobby = false } = {}) {
  await page.goto(origin + link);
  await page.getByLabel('Your name').first().fill(name);
  await page.locator('#start-relay').setChecked(relayOnly);
  if (room || lobby) {
    await page.getByText('Room options').click();
    await page.locator('#start-room').fill(room);
    await page.locator('#start-lobby').setChecked(lobby);
  }
  await page.getByRole('button', { name: 'Make a room' }).click();
  await page.locator('#view-call').waitFor();
}

/** Presses "Copy invite link" and reads the clipboard. */
export async function copyInvite(page) {
  const before = await page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: 'Copy invite link' }).click();
  return until('a fresh link on the clipboard', async () => {
    const now = await page.evaluate(() => navigator.clipboard.readText());
    return now !== before && now.includes('#invite=') ? now : undefined;
  });
}

/** Joins by an invite link through the page. */
export async function join(page, link, { name = 'Grace Hopper', relayOnly = true } = {}) {
  await page.goto(link);
  await page.locator('#join-name').fill(name);
  await page.locator('#join-relay').setChecked(relayOnly);
  await page.locator('#join-go').click();
}

/** What getStats says of the running connection: selected pair, frames, packets. */
export function measure(page) {
  return page.evaluate(async () => {
    const connection = window.seen.connections.findLast((one) => one.connectionState === 'connected');
    if (!connection) return undefined;
    const all = [...(await connection.getStats()).values()];
    const transport = all.find((one) => one.type === 'transport');
    const pair = all.find((one) => one.id === transport?.selectedCandidatePairId);
    const inbound = (kind) => all.find((one) => one.type === 'inbound-rtp' && one.kind === kind);
    return {
      local: all.find((one) => one.id === pair?.localCandidateId),
      remote: all.find((one) => one.id === pair?.remoteCandidateId),
      frames: inbound('video')?.framesDecoded ?? 0,
      audioPackets: inbound('audio')?.packetsReceived ?? 0,
    };
  });
}

/** Runs in a page first: a machine without camera and microphone. */
export function noDevices() {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); };
}

/** Waits until `probe` gives something other than undefined or false. */
export async function until(what, probe, within = SETTLES_WITHIN_MS) {
  const end = Date.now() + within;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${within} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until both selected candidates are of a kind the test wants. */
export const untilPair = (page, what, wanted) => until(what, async () => {
  const now = await measure(page);
  return now?.local && now.remote && wanted(now.local.candidateType, now.remote.candidateType) ? now : undefined;
});

/** Waits until so many more frames than now were decoded. */
export async function untilFrames(page, more) {
  const start = (await measure(page))?.frames ?? 0;
  return until(`${more} more decoded frames`, async () => {
    const now = await measure(page);
    return now && now.frames >= start + more ? now : undefined;
  });
}
