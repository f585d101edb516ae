// Which answers somebody has read.

const READ = 800; // ms a message has to be in sight to count as seen

/** Tells the server which answers stood before the reader, once each. */
export class Seen {
  constructor(tell) {
    this.tell = tell;
    this.told = new Set();
    this.sight = new IntersectionObserver((entries) => entries.forEach((entry) => this.#look(entry)), { threshold: 0.5 });
    document.addEventListener("visibilitychange", () => this.#again());
  }

  watch(article) {
    this.sight.observe(article);
  }

  #again() {
    for (const article of document.querySelectorAll("[data-thread][data-new]")) {
      this.sight.unobserve(article);
      this.sight.observe(article);
    }
  }

  #look({ isIntersecting, target }) {
    clearTimeout(target.reading);
    if (isIntersecting && !document.hidden) target.reading = setTimeout(() => this.read(target), READ);
  }

  /** What stands in this thread is before the reader. */
  async read(article) {
    const { thread, newest } = article.dataset;
    const name = `${thread}:${newest}`;
    if (document.hidden || !article.isConnected || this.told.has(name)) return;
    this.told.add(name);
    const { kind } = await this.tell(Number(thread), Number(newest));
    if (kind !== "done") this.told.delete(name);
  }
}
