// Before anything is painted: the theme, the size of the text and the language that were chosen here.
// It is a file of its own because the policy of the page allows no script within it.
(function () {
  try {
    var chosen = JSON.parse(localStorage.getItem('settings') || '{}');
    var root = document.documentElement;
    if (chosen.theme === 'light' || chosen.theme === 'dark') root.dataset.theme = chosen.theme;
    if ([125, 150, 200].indexOf(chosen.textSize) >= 0) root.dataset.text = String(chosen.textSize);
    if (chosen.language) root.lang = chosen.language;
  } catch {
    // Storage may be switched off; then everything is as the system has it.
  }
})();
