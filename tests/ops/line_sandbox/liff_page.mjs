// A page that runs the LIFF script outside of a browser: what it would do to the address and the storage comes out as JSON.
import { readFileSync } from "node:fs";

const order = JSON.parse(readFileSync(0, "utf-8"));
const here = new URL(order.page);
const store = new Map(Object.entries(order.store ?? {}));
const out = { left: null, href: null };

globalThis.document = { currentScript: { src: order.sdk } };
globalThis.window = globalThis;
globalThis.location = {
  get href() { return here.href; },
  replace(url) { finish({ left: url }); },
  assign(url) { finish({ left: url }); },
};
globalThis.history = { state: null, replaceState(_state, _title, url) { here.href = url; } };
globalThis.sessionStorage = {
  getItem: (name) => store.get(name) ?? null,
  setItem: (name, value) => store.set(name, value),
  removeItem: (name) => store.delete(name),
};
const send = globalThis.fetch;
globalThis.fetch = (url, options = {}) =>
  send(url, { ...options, headers: { ...options.headers, origin: here.origin } });

function finish(more) {
  const { liff } = globalThis;
  process.stdout.write(JSON.stringify({
    ...out, href: here.href, store: Object.fromEntries(store), loggedIn: liff.isLoggedIn(), inClient: liff.isInClient(),
    idToken: liff.getIDToken(), claims: liff.getDecodedIDToken(), ...more,
  }));
  process.exit(0);
}

(0, eval)(await (await send(order.sdk)).text());
try {
  await globalThis.liff.init(order.config);
  if (order.login && !globalThis.liff.isLoggedIn()) { await globalThis.liff.login(order.login); }
  finish({ friendship: globalThis.liff.isLoggedIn() ? await globalThis.liff.getFriendship() : null });
} catch (error) {
  finish({ error: { code: error.code, message: error.message } });
}
