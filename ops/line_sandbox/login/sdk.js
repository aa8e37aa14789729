// A stand-in for LIFF's SDK, version 2: what a page needs to learn who opened it. Not LINE's code.
(function () {
  "use strict";
  var line = new URL(document.currentScript.src).origin;
  var app = { liffId: "", clientId: "", inClient: false, idToken: null, accessToken: null };
  var isReady;
  var ready = new Promise(function (resolve) { isReady = resolve; });

  function fault(code, message) {
    var error = new Error(message);
    error.code = code;
    return error;
  }

  function key(name) { return "LIFF_STORE:" + app.liffId + ":" + name; }
  function keep(name, value) { sessionStorage.setItem(key(name), value); }
  function kept(name) { return sessionStorage.getItem(key(name)); }
  function forget(name) { sessionStorage.removeItem(key(name)); }

  function base64url(bytes) {
    return btoa(String.fromCharCode.apply(null, new Uint8Array(bytes)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function random() { return base64url(crypto.getRandomValues(new Uint8Array(32))); }

  async function answer(path, options) {
    var response = await fetch(line + path, options);
    var body = await response.json();
    if (!response.ok) {
      throw fault(String(response.status), body.message || body.error_description || "The request failed.");
    }
    return body;
  }

  function signIn(idToken, accessToken) {
    app.idToken = idToken;
    app.accessToken = accessToken;
    // Inside LINE each opening brings tokens of its own; only a browser beside it has to remember.
    if (!app.inClient) {
      keep("IDToken", idToken);
      keep("accessToken", accessToken);
    }
  }

  // The second of LIFF's two redirects: what was added to the LIFF address comes back from liff.state.
  function restored() {
    var here = new URL(location.href);
    var state = here.searchParams.get("liff.state");
    if (state === null) { return null; }
    here.searchParams.delete("liff.state");
    var at = state.search(/[?#]/);
    var path = at < 0 ? state : state.slice(0, at);
    if (path !== "" && path !== "/") { here.pathname = here.pathname.replace(/\/$/, "") + path; }
    var added = new URL(at < 0 ? "" : state.slice(at), here.origin);
    added.searchParams.forEach(function (value, name) { here.searchParams.append(name, value); });
    here.hash = added.hash;
    return here.href;
  }

  async function exchange(here) {
    if (here.searchParams.get("state") !== kept("state")) {
      throw fault("INIT_FAILED", "The state of the login does not match.");
    }
    var form = new URLSearchParams({
      grant_type: "authorization_code",
      code: here.searchParams.get("code"),
      redirect_uri: here.searchParams.get("liffRedirectUri"),
      client_id: here.searchParams.get("liffClientId"),
      code_verifier: kept("codeVerifier"),
    });
    var tokens = await answer("/oauth2/v2.1/token", { method: "POST", body: form });
    forget("state");
    forget("codeVerifier");
    signIn(tokens.id_token, tokens.access_token);
    ["code", "state", "liffClientId", "liffRedirectUri", "friendship_status_changed"].forEach(function (name) {
      here.searchParams.delete(name);
    });
    history.replaceState(history.state, "", here.href);
  }

  async function init(config, succeed, fail) {
    try {
      if (!config || !config.liffId) { throw fault("INVALID_CONFIG", "liffId is necessary for liff.init()"); }
      app.liffId = window.liff.id = config.liffId;
      var target = restored();
      if (target) {
        location.replace(target);
        return await new Promise(function () {});
      }
      var session = await answer("/liff/v1/session?liffId=" + encodeURIComponent(app.liffId));
      app.clientId = session.clientId;
      app.inClient = session.inClient;
      var here = new URL(location.href);
      if (session.inClient) {
        signIn(session.idToken, session.accessToken);
      } else if (here.searchParams.has("code") && here.searchParams.has("liffClientId")) {
        await exchange(here);
      } else {
        app.idToken = kept("IDToken");
        app.accessToken = kept("accessToken");
        if (!app.accessToken && config.withLoginOnExternalBrowser) {
          await login();
          return await new Promise(function () {});
        }
      }
      isReady();
      if (succeed) { succeed(); }
    } catch (error) {
      if (!fail) { throw error; }
      fail(error);
    }
  }

  async function login(options) {
    if (!app.liffId) { throw fault("INVALID_CONFIG", "liffId is necessary for liff.login()"); }
    var verifier = random();
    var digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    keep("codeVerifier", verifier);
    keep("state", random());
    var query = new URLSearchParams({
      app_id: app.liffId,
      client_id: app.clientId,
      scope: "openid profile",
      state: kept("state"),
      response_type: "code",
      code_challenge: base64url(digest),
      code_challenge_method: "S256",
      redirect_uri: (options && options.redirectUri) || location.href.split("#")[0],
    });
    location.assign(line + "/oauth2/v2.1/authorize?" + query);
  }

  function logout() {
    app.idToken = app.accessToken = null;
    forget("IDToken");
    forget("accessToken");
  }

  function decoded() {
    if (!app.idToken) { return null; }
    var payload = app.idToken.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    var bytes = Uint8Array.from(atob(payload), function (sign) { return sign.charCodeAt(0); });
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  function authorized(path) {
    if (!app.accessToken) { return Promise.reject(fault("UNAUTHORIZED", "Need access_token for api call, Please login first")); }
    return answer(path, { headers: { authorization: "Bearer " + app.accessToken } });
  }

  window.liff = {
    ready: ready,
    init: init,
    login: login,
    logout: logout,
    isLoggedIn: function () { return app.accessToken !== null; },
    isInClient: function () { return app.inClient; },
    getIDToken: function () { return app.idToken; },
    getDecodedIDToken: decoded,
    getAccessToken: function () { return app.accessToken; },
    getProfile: function () { return authorized("/v2/profile"); },
    getFriendship: function () { return authorized("/friendship/v1/status"); },
    getOS: function () { return "web"; },
    getLanguage: function () { return navigator.language; },
    getVersion: function () { return "2.0.0-sandbox"; },
    closeWindow: function () { window.close(); },
    id: null,
  };
})();
