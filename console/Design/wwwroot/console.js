// The few things a page cannot do without script of its own.
window.althing = {
  copy: async text => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  },
  goTo: (area, line, column) => {
    const before = area.value.split('\n').slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
    const at = Math.min(before + Math.max(column - 1, 0), area.value.length);
    area.focus();
    area.setSelectionRange(at, Math.min(at + 1, area.value.length));
  },
  isNarrow: () => matchMedia('(max-width: 959.98px)').matches,
  onSchemeChange: shell => matchMedia('(prefers-color-scheme: dark)').addEventListener('change', e => shell.invokeMethodAsync('SchemeChanged', e.matches)),
  download: (name, text) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  },
  remember: (name, value) => localStorage.setItem('althing.' + name, value),
  recall: name => localStorage.getItem('althing.' + name),
  prefersDark: () => matchMedia('(prefers-color-scheme: dark)').matches,
  // A new page is announced by its heading, but the focus is never taken from somebody who is typing already.
  focusHeading: heading => {
    if (!document.querySelector('.mud-dialog') && !document.activeElement?.closest('main input, main textarea'))
      heading.focus({ preventScroll: true });
  },
};
// The button is there as soon as the page is, so that the first keystroke counts.
document.addEventListener('keydown', e => {
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
    e.preventDefault();
    document.querySelector('.search-button')?.click();
  }
});
