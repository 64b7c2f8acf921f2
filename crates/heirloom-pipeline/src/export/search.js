// Finds things by their words, in the files that were written beside this one. Nothing leaves this folder.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js", /^de\b/i.test(navigator.language) ? "de" : "en");
  root.lang = root.classList.contains("de") ? "de" : "en";
  var field = document.getElementById("words");
  var found = document.getElementById("found");
  var told = document.getElementById("told");
  var parts = window.searchParts || [];
  if (!field || !found || !told) return;
  var most = 200, loaded = [], asked = 0, current = "";

  function plain(text) {
    return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/ß/g, "ss");
  }
  window.addSearchPart = function (things) { loaded.push(things); };

  function show() {
    var words = plain(current).split(/\s+/).filter(Boolean);
    found.replaceChildren();
    if (!words.length) { told.textContent = ""; return; }
    var count = 0;
    loaded.forEach(function (things) {
      things.forEach(function (thing) {
        if (count > most) return;
        if (!thing.plain) thing.plain = plain(thing[0] + " " + thing[1]);
        if (!words.every(function (word) { return thing.plain.indexOf(word) >= 0; })) return;
        count += 1;
        if (count > most) return;
        var item = document.createElement("li"), link = document.createElement("a");
        item.className = "thing";
        link.href = thing[2];
        if (thing[3]) {
          var picture = document.createElement("img");
          picture.src = thing[3];
          picture.alt = "";
          picture.loading = "lazy";
          link.append(picture);
        }
        link.append(thing[0]);
        item.append(link);
        found.append(item);
      });
    });
    var more = count > most, number = Math.min(count, most);
    told.textContent = root.lang === "de"
      ? (more ? "Mehr als " + number : String(number)) + " gefunden"
      : (more ? "More than " + number : String(number)) + " found";
  }

  function load() {
    if (asked >= parts.length) return;
    var script = document.createElement("script");
    script.src = parts[asked];
    asked += 1;
    script.onload = script.onerror = function () { show(); load(); };
    document.head.append(script);
  }
  field.addEventListener("input", function () {
    current = field.value;
    show();
    if (!asked) load();
  });
})();
