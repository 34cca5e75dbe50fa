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
  // Files go to the door one after the other, each read from disk as it is sent; the page hears how far they are.
  upload: (input, zone, page) => {
    const queue = [];
    let busy = false, current = null;
    const send = (file, address) => new Promise(done => {
      const request = current = new XMLHttpRequest();
      let told = 0;
      request.open('PUT', address);
      request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
      request.upload.onprogress = e => {
        if (e.timeStamp - told < 200) return;
        told = e.timeStamp;
        page.invokeMethodAsync('Progressed', file.name, e.loaded, e.total);
      };
      request.onload = () => done(request.status < 300 ? null : request.responseText || 'The platform answered ' + request.status + '.');
      request.onerror = () => done('The connection broke. Try again.');
      request.onabort = () => done('Stopped.');
      request.send(file);
    });
    const run = async () => {
      if (busy) return;
      busy = true;
      while (queue.length) {
        const file = queue.shift();
        const address = await page.invokeMethodAsync('AddressOf', file.name, file.size);
        if (address) await page.invokeMethodAsync('Ended', file.name, await send(file, address));
      }
      busy = false;
    };
    const add = files => {
      queue.push(...files);
      run();
    };
    input.addEventListener('change', () => {
      add(input.files);
      input.value = '';
    });
    zone.addEventListener('dragover', e => {
      e.preventDefault();
      zone.classList.add('over');
    });
    zone.addEventListener('dragleave', () => zone.classList.remove('over'));
    zone.addEventListener('drop', e => {
      e.preventDefault();
      zone.classList.remove('over');
      add(e.dataTransfer.files);
    });
    return { stop: () => { queue.length = 0; current?.abort(); } };
  },
  pick: input => input.click(),
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
