"use strict";
// The ID token goes to our server, which lets LINE check it: nothing that a page could tell of a profile is sent.
(function () {
  var form = document.getElementById("liff");
  var button = document.getElementById("link");
  window.liff.init({ liffId: form.dataset.liffId }).then(function () {
    if (!window.liff.isLoggedIn()) {
      window.liff.login({ redirectUri: location.href });
      return;
    }
    form.elements.id_token.value = window.liff.getIDToken() || "";
    button.textContent = form.dataset.ready;
    button.disabled = !form.elements.id_token.value;
  });
})();
