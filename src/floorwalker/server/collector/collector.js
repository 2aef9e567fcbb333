/* Floorwalker's browser collector. It sends counts and times, never what was typed, and nothing to a third party.
   docs/collector.md says what each field means. */
(() => {
  "use strict";
  const doc = document, nav = navigator, tag = doc.currentScript, set = tag.dataset, now = () => performance.now();
  const to = set.to || new URL("collect", tag.src).href;
  const isOwn = new URL(to, location.href).origin === location.origin;
  const view = crypto.getRandomValues(new Uint32Array(2)).reduce((text, n) => text + n.toString(16).padStart(8, "0"), "");
  const started = now();
  let sent = 0, last = "";

  // The id is made and signed by the server. On the shop's own path it is a cookie that no script can read.
  const kept = () => (doc.cookie.match(/(?:^|; )fw_id=([^;]+)/) || [])[1];
  const keep = (id) => {
    if (set.storage !== "none" && /^fd1_[\w-]{22}\.[\w-]{22}$/.test(id))
      doc.cookie = `fw_id=${id};Path=/;Max-Age=15552000;SameSite=Lax` + (isSecureContext ? ";Secure" : "");
  };

  // --- parts of the fingerprint, each with how far it is to be believed
  const attempt = (make) => { try { return make(); } catch { return undefined; } };
  const hash = (text) => { // FNV-1a, twice 32 bits
    let a = 0x811c9dc5, b = 0x01000193;
    for (let i = 0; i < text.length; i++) {
      a = Math.imul(a ^ text.charCodeAt(i), 16777619);
      b = Math.imul(b ^ text.charCodeAt(i), 0x5bd1e995);
    }
    return [a, b].map((n) => (n >>> 0).toString(16).padStart(8, "0")).join("");
  };
  const once = (make) => { let made; return () => (made = made || [attempt(make)])[0]; };
  const graphics = once(() => { // a browser has few of these contexts
    const gl = doc.createElement("canvas").getContext("webgl");
    const more = gl.getExtension("WEBGL_debug_renderer_info");
    return String(gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  });
  const canvas = () => { // only with data-canvas="on"
    const box = doc.createElement("canvas"), pen = box.getContext("2d");
    pen.font = "16px serif";
    pen.fillStyle = "#c40";
    pen.fillText("Floorwalker \u00e9\u4e2d\u0436", 4, 22);
    return box.toDataURL();
  };
  const coarse = matchMedia("(pointer: coarse)").matches;
  const readParts = once(() => Object.entries({
    screen: [() => [screen.width, screen.height, screen.colorDepth, devicePixelRatio], 0.3],
    zone: [() => Intl.DateTimeFormat().resolvedOptions().timeZone, 0.2],
    languages: [() => nav.languages, 0.2],
    machine: [() => [nav.hardwareConcurrency, nav.deviceMemory, nav.maxTouchPoints, nav.platform], 0.3],
    graphics: [graphics, 0.5],
    canvas: [() => set.canvas === "on" && canvas(), 0.6],
  }).reduce((found, [name, [read, confidence]]) => {
    const value = attempt(read);
    if (value) found[name] = [hash(String(value)), confidence];
    return found;
  }, {}));

  // --- what betrays a program
  const marks = /^(\$?cdc_|__(webdriver|selenium|driver|fxdriver|nightmare|playwright|pwInit)|_?phantom$|callPhantom|domAutomation)/;
  const isDriven = () => nav.webdriver === true || [window, doc].some((one) => Object.keys(one).some((name) => marks.test(name)));
  const isHeadless = () => {
    const agent = nav.userAgent, desktop = !/Mobi|Android/.test(agent);
    const weak = [!nav.languages.length, desktop && nav.plugins && !nav.plugins.length,
      desktop && /Chrome\//.test(agent) && !window.chrome, /SwiftShader|llvmpipe/i.test(graphics())];
    return /Headless|Phantom|jsdom/i.test(agent) || (desktop && !outerWidth) || weak.filter(Boolean).length > 1;
  };
  const isTampered = () => {
    const print = Function.prototype.toString;
    const driver = Object.getOwnPropertyDescriptor(Navigator.prototype, "webdriver");
    return [print, Date.now, HTMLCanvasElement.prototype.toDataURL, EventTarget.prototype.addEventListener, doc.createElement,
      nav.sendBeacon, nav.permissions && nav.permissions.query, driver && driver.get].some((one) =>
      one && !/\[native code\]/.test(attempt(() => print.call(one)))) || Object.getOwnPropertyNames(nav).length > 0;
  };

  // --- how the page was used: real input only
  const used = { pointer_moves: 0, touches: 0, key_presses: 0, pastes: 0, scrolls: 0 };
  let chords = 0, paths = 0, stroke = null, scrolledAt = -1e9, keyAt = -1e9, gaps = 0, sum = 0, squares = 0, formAt = 0;
  const endStroke = () => {
    if (stroke && stroke.n > 4) {
      chords += Math.hypot(stroke.x - stroke.x0, stroke.y - stroke.y0);
      paths += stroke.path;
    }
    stroke = null;
  };
  const on = (type, act) =>
    doc.addEventListener(type, (event) => event.isTrusted && act(event, event.timeStamp), { capture: true, passive: true });
  on("pointermove", (event, t) => {
    if (event.pointerType === "touch") return;
    used.pointer_moves++;
    const x = event.clientX, y = event.clientY;
    if (stroke && t - stroke.t > 300) endStroke();
    stroke = stroke || { x0: x, y0: y, x, y, n: 0, path: 0 };
    stroke.path += Math.hypot(x - stroke.x, y - stroke.y);
    Object.assign(stroke, { x, y, t, n: stroke.n + 1 });
  });
  on("pointerdown", (event) => { endStroke(); if (event.pointerType === "touch") used.touches++; });
  on("keydown", ({ repeat, target: { type, autocomplete } }, t) => {
    // Times between the keys of a password or a card number would tell something about it.
    if (repeat || type === "password" || /^(cc-|one-time)/.test(autocomplete)) { keyAt = -1e9; return; }
    used.key_presses++;
    const gap = t - keyAt;
    if (gap < 5000) { gaps++; sum += gap; squares += gap * gap; }
    keyAt = t;
  });
  on("paste", () => used.pastes++);
  on("scroll", (_, t) => { if (t - scrolledAt > 200) used.scrolls++; scrolledAt = t; });
  on("focusin", (event) => { if (event.target.form) formAt = formAt || now(); });
  on("submit", () => { if (formAt) used.form_ms = Math.round(now() - formAt); send(); });

  const readSignals = () => {
    const mean = sum / gaps;
    const signals = { ...used, webdriver: attempt(isDriven),
      headless: attempt(isHeadless), tampered: attempt(isTampered) };
    signals.trap_filled = [...doc.querySelectorAll("[data-floorwalker-trap]")].some((field) => field.value || field.checked);
    if (paths) signals.pointer_straightness = Math.min(1, chords / paths);
    if (gaps) signals.key_gap_ms = mean;
    if (gaps > 1) signals.key_gap_spread_ms = Math.sqrt(Math.max(0, squares / gaps - mean * mean));
    return signals;
  };
  const send = (isLeaving) => {
    endStroke();
    const signals = readSignals(), state = JSON.stringify(signals), parts = readParts(), list = Object.values(parts);
    if (state === last || sent > 3) return;
    last = state;
    signals.dwell_ms = Math.round(now() - started);
    const body = JSON.stringify({ v: 1, view, n: sent++, page: location.pathname.slice(0, 500), language: nav.language, signals, parts,
      device: { kind: !coarse ? "desktop" : Math.min(screen.width, screen.height) < 600 ? "phone" : "tablet",
        screen: `${screen.width}x${screen.height}`, utc_offset_minutes: -new Date().getTimezoneOffset(),
        fingerprint: hash(list.map((part) => part[0]).join()),
        fingerprint_confidence: (1 - list.reduce((doubt, part) => doubt * (1 - part[1]), 1)) / (signals.tampered ? 2 : 1) },
      ...(isOwn ? {} : { id: kept(), session: set.session, proof: set.proof }) });
    // A beacon outlives the page but cannot read an answer.
    if (isLeaving && (isOwn || kept()) && nav.sendBeacon(to, body)) return;
    fetch(to, { method: "POST", body, keepalive: true, credentials: isOwn ? "same-origin" : "omit" })
      .then((answer) => answer.status === 200 && answer.json()).then((answer) => answer && keep(answer.id)).catch(() => {});
  };
  setTimeout(send, +set.after || 1500);
  on("visibilitychange", () => doc.visibilityState === "hidden" && send(true));
  addEventListener("pagehide", () => send(true));
})();
