// What the browser tests measure inside the page, where no round trip to the test disturbs a clock.
window.probe = {
  // What the page still waits for: a theme that is being changed, a busy kernel, widgets and pictures on their way.
  unfinished() {
    const light = String(!matchMedia("(prefers-color-scheme: dark)").matches);
    const pictures = [...document.querySelectorAll(".jp-OutputArea-output img")];
    const waits = {
      theme: document.body.dataset.jpThemeLight !== light || document.querySelector("#jupyterlab-splash"),
      kernel: !/\| Idle/.test(document.querySelector(".jp-StatusBar-Left")?.textContent),
      output: document.querySelector('[data-mime-type="application/vnd.jupyter.widget-view+json"]:not(:has(.jupyter-widgets))'),
      widget: document.querySelector(".widget-container > .lm-Widget:not([class*=widget-])"),
      slider: document.querySelector(".widget-slider:not(:has(.noUi-handle))"),
      picture: pictures.some(picture => !picture.complete || !picture.naturalWidth),
    };
    return Object.keys(waits).filter(what => waits[what]);
  },

  // Resolves once nothing is unfinished and the page has been laid out and painted with it.
  async whole(milliseconds) {
    const end = performance.now() + milliseconds;
    for (let frames = 0; frames < 2; ) {
      await new Promise(requestAnimationFrame);
      const missing = probe.unfinished();
      frames = missing.length ? 0 : frames + 1;
      if (missing.length && performance.now() > end) throw new Error(`the page still waits for ${missing}`);
    }
    await Promise.all([...document.querySelectorAll(".jp-OutputArea-output img")].map(picture => picture.decode()));
  },

  // The panels of an explorer's picture as one: their addresses, the words for all, whether the page can show them.
  picture(explorer) {
    const panels = [...explorer.querySelectorAll("img")];
    if (!panels.length) return null;
    const width = Math.min(...panels.map(panel => panel.naturalWidth));
    return { src: panels.map(panel => panel.src).join("\n"), alt: panels[0].alt, naturalWidth: width };
  },

  // Milliseconds from each key-press in an explorer to its new picture, decoded and ready to paint.
  stopwatch(explorer) {
    const times = [];
    let pressed = null;
    let shown = probe.picture(explorer).src;
    explorer.addEventListener("keydown", event => { pressed = event.timeStamp; }, true);
    new MutationObserver(async () => {
      const picture = probe.picture(explorer);
      if (!picture || picture.src === shown || pressed === null) return;
      shown = picture.src;
      const since = pressed;
      await Promise.all([...explorer.querySelectorAll("img")].map(panel => panel.decode()));
      times.push(performance.now() - since);
    }).observe(explorer, { childList: true, subtree: true });
    explorer.stopwatch = times;
  },

  // Every place that the picture and the status have had since this call, even before a picture was decoded.
  watchLayout(explorer) {
    const places = [];
    const look = () => {
      const top = explorer.getBoundingClientRect().top;
      const parts = ["div:has(> img)", "[role=status]"].map(which => explorer.querySelector(which));
      if (parts.includes(null)) return;
      const [picture, status] = parts.map(part => part.getBoundingClientRect());
      const place = [picture.top - top, picture.height, status.top - top, status.height].map(Math.round);
      places.push({ "picture top": place[0], "picture height": place[1], "status top": place[2], "status height": place[3] });
    };
    look();
    const observer = new MutationObserver(look);
    observer.observe(explorer, { childList: true, subtree: true });
    explorer.layoutSeen = () => { observer.disconnect(); look(); return places; };
  },

  // Every other picture that an explorer has shown since this call, by its address.
  watchPictures(explorer) {
    const shown = [probe.picture(explorer).src];
    new MutationObserver(() => {
      const picture = probe.picture(explorer);
      if (picture && picture.src !== shown.at(-1)) shown.push(picture.src);
    }).observe(explorer, { childList: true, subtree: true });
    explorer.picturesSeen = shown;
  },

  // Tables, formulas, pictures and code that are cut off, or that only scrolling the whole page sideways would show:
  // what is wider than its place must have a box of its own that scrolls as far as its right edge.
  hidden(root) {
    const found = [];
    for (const part of root.querySelectorAll("table, img, mjx-container, pre, .widget-vbox")) {
      if (!part.getClientRects().length) continue;
      const right = part.getBoundingClientRect().right;
      for (let box = part.parentElement; box && box !== root.parentElement; box = box.parentElement) {
        const flow = getComputedStyle(box).overflowX;
        if (flow === "visible" || right <= box.getBoundingClientRect().right + 1) continue;
        const before = box.scrollLeft;
        box.scrollLeft = box.scrollWidth;
        const reached = part.getBoundingClientRect().right <= box.getBoundingClientRect().right + 1;
        box.scrollLeft = before;
        if (flow !== "auto" && flow !== "scroll" || box === root || !reached)
          found.push(`${part.tagName} ${(part.alt || part.textContent).slice(0, 40)} is cut off`);
        break;
      }
    }
    return found;
  },

  // The smallest writing in the pictures, in pixels on the page.
  smallestWriting(root) {
    return Math.min(...[...root.querySelectorAll("img.vqlab-picture")].filter(image => image.getClientRects().length).map(
      image => 11 * image.getBoundingClientRect().width / Number(/viewBox='[^ ]* [^ ]* ([^ ]*)/.exec(image.src)[1])));
  },

  // Words that are cut off, stick out of the explorer, or overflow it.
  misfits(explorer) {
    const edge = explorer.getBoundingClientRect().right + 1;
    const found = [];
    const frame = explorer.closest(".jp-OutputArea-output");
    for (const box of [explorer, frame])
      if (box.scrollWidth > box.clientWidth + 1) found.push(`${box.className} overflows`);
    for (const part of explorer.querySelectorAll("label, button, input, select, [role=slider], [role=status]")) {
      const { right, width } = part.getBoundingClientRect();
      if (width === 0) continue;
      const name = part.textContent || part.value || part.getAttribute("aria-valuenow");
      if (right > edge) found.push(`${name} sticks out`);
      if (part.tagName === "LABEL" && part.scrollWidth > part.clientWidth) found.push(`${name} is cut off`);
    }
    return found;
  },

  // The lowest contrast of words to what is behind them (WCAG 2), with the words.
  lowestContrast(explorer) {
    const luminance = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const numbers = color => color.match(/[\d.]+/g).map(Number);
    const behind = part => {
      for (let at = part; at; at = at.parentElement) {
        const color = numbers(getComputedStyle(at).backgroundColor);
        if (color.length === 3 || color[3] > 0.5) return color;
      }
      return [255, 255, 255];
    };
    const words = explorer.querySelectorAll("label, button:enabled, input, select, [role=status]");
    return [...words].filter(part => part.getClientRects().length).map(part => {
      const [a, b] = [numbers(getComputedStyle(part).color), behind(part)].map(luminance).sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), part.textContent || part.value];
    }).sort((one, other) => one[0] - other[0])[0];
  },
};
