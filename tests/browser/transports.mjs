// Chromium's own TURN client over every transport: what `turn:` and `turns:` URLs mean to it.
//
// A page without the call's code makes two connections, both forced through one URL each, and sends
// video and messages from one to the other.

import assert from 'node:assert/strict';

const FRAMES = 15;
const MESSAGES = 50;

/** Runs in the page: a call with itself through one URL; returns what getStats says of both ends. */
async function callThrough({ servers, frames, messages, within }) {
  const configuration = { iceServers: servers, iceTransportPolicy: 'relay' };
  const [one, two] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
  const errors = [];
  for (const [here, there] of [[one, two], [two, one]]) {
    here.addEventListener('icecandidate', ({ candidate }) => { there.addIceCandidate(candidate).catch(() => {}); });
    here.addEventListener('icecandidateerror', ({ url, errorCode, errorText }) => errors.push(`${url}: ${errorCode} ${errorText}`));
  }
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 160, height: 120 } });
  one.addTrack(stream.getVideoTracks()[0], stream);
  const channel = one.createDataChannel('numbers');
  const echoes = [];
  two.addEventListener('datachannel', ({ channel: other }) => other.addEventListener('message', ({ data }) => other.send(data)));
  channel.addEventListener('message', ({ data }) => echoes.push(data));
  channel.addEventListener('open', () => { for (let n = 0; n < messages; n += 1) channel.send(`${n} ${'x'.repeat(n * 20)}`); });
  await one.setLocalDescription();
  await two.setRemoteDescription(one.localDescription);
  await two.setLocalDescription();
  await one.setRemoteDescription(two.localDescription);
  const look = async (connection) => {
    const all = [...(await connection.getStats()).values()];
    const transport = all.find((entry) => entry.type === 'transport');
    const pair = all.find((entry) => entry.id === transport?.selectedCandidatePairId);
    const { candidateType, relayProtocol, url, address } = all.find((entry) => entry.id === pair?.localCandidateId) ?? {};
    const decoded = all.find((entry) => entry.type === 'inbound-rtp' && entry.kind === 'video')?.framesDecoded ?? 0;
    return { candidateType, relayProtocol, url, address, decoded };
  };
  const end = Date.now() + within;
  let ends;
  do {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ends = await Promise.all([look(one), look(two)]);
  } while (Date.now() < end && (echoes.length < messages || ends[1].decoded < frames));
  one.close();
  two.close();
  stream.getTracks().forEach((track) => track.stop());
  return { ends, errors, echoes: echoes.map((text) => Number(text.split(' ')[0])) };
}

/**
 * One test for each way.
 * @param {any} house
 * @param {Record<string, (server: any) => [string, string]>} ways by name: URL, and what Chromium must call
 *   the protocol towards the relay
 */
function each(house, ways) {
  for (const [name, way] of Object.entries(ways)) {
    house.test(name, async () => {
      const [url, protocol] = way(house.server);
      const page = await house.open();
      await page.goto(house.origin);
      const { username, credential } = await minted(page);
      await call(page, [{ urls: [url], username, credential }], (one) => {
        assert.deepEqual([one.candidateType, one.relayProtocol, one.url], ['relay', protocol, url]);
      });
      await house.closePages();
    });
  }
}

/** The TURN entry of what the server mints. */
const minted = (page) => page.evaluate(async () => {
  const { iceServers } = await (await fetch('/api/v1/ice')).json();
  return iceServers.find((one) => one.credential);
});

async function call(page, servers, check) {
  const asked = { servers, frames: FRAMES, messages: MESSAGES, within: 30_000 };
  const { ends, errors, echoes } = await page.evaluate(callThrough, asked);
  const told = JSON.stringify({ ends, errors });
  assert.deepEqual(echoes, Array.from({ length: MESSAGES }, (_, n) => n), `messages came back otherwise: ${told}`);
  assert.ok(ends[1].decoded >= FRAMES, `too few frames: ${told}`);
  ends.forEach(check);
}

const tcpOf = (address) => `turn:${address}?transport=tcp`;
const udpOf = (address) => `turn:${address}?transport=udp`;
const tlsOf = (address) => `turns:${address}?transport=tcp`;
const six = (addresses) => addresses.find((one) => one.startsWith('['));
const four = (addresses) => addresses.find((one) => !one.startsWith('['));

/** Ports of their own, and TLS beside plain TCP. */
const SEPARATE = {
  'turn: over UDP': ({ udp }) => [udpOf(four(udp)), 'udp'],
  'turn: over UDP and IPv6': ({ udp }) => [udpOf(six(udp)), 'udp'],
  'turn: over TCP': ({ tcp }) => [tcpOf(four(tcp)), 'tcp'],
  'turn: over TCP and IPv6': ({ tcp }) => [tcpOf(six(tcp)), 'tcp'],
  'turns: on a port of its own': ({ tls }) => [tlsOf(four(tls)), 'tls'],
  'turns: on a port of its own, over IPv6': ({ tls }) => [tlsOf(six(tls)), 'tls'],
  'turns: on the port of plain TCP': ({ tcp }) => [tlsOf(four(tcp)), 'tls'],
};

/** One port for STUN, TURN, TLS, HTTP and HTTPS. */
const SHARED = {
  'one port for everything: turn: over UDP': ({ udp }) => [udpOf(four(udp)), 'udp'],
  'one port for everything: turn: over TCP': ({ http }) => [tcpOf(four(http)), 'tcp'],
  'one port for everything: turns:': ({ http }) => [tlsOf(four(http)), 'tls'],
  'one port for everything: turns: over IPv6': ({ http }) => [tlsOf(six(http)), 'tls'],
};

export const onSeparatePorts = (house) => each(house, SEPARATE);

export function onOnePort(house) {
  each(house, SHARED);
  house.test('one port for everything: a page over HTTPS calls through the minted turns: URLs', async () => {
    const page = await house.open();
    await page.goto(house.origin.replace('http:', 'https:'));
    await page.locator('#view-start').waitFor();
    const turn = await minted(page);
    const urls = turn.urls.filter((url) => url.startsWith('turns:'));
    assert.ok(urls.some((url) => url.includes(four(house.server.http))), `minted: ${turn.urls}`);
    await call(page, [{ ...turn, urls }], (one) => assert.equal(one.relayProtocol, 'tls'));
    await house.closePages();
  });
}
