// The few things a page cannot do without script of its own.
window.althing = {
  copy: text => navigator.clipboard.writeText(text),
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
  onSearchKey: shell => document.addEventListener('keydown', e => {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
      e.preventDefault();
      shell.invokeMethodAsync('OpenSearch');
    }
  }),
};
