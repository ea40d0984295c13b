/** Asking again and again while there is something to wait for. */

/** Runs a task every `interval` milliseconds, one at a time, until the task says that there is nothing to wait for. */
export class Poll {
  #task;
  interval;
  #timer = null;
  #running = false;
  #stopped = false;

  /** @param {() => Promise<boolean>} task resolves to whether to go on @param {number} interval milliseconds, may be changed */
  constructor(task, interval = 1000) {
    this.#task = task;
    this.interval = interval;
  }

  /** Begin, or do nothing when it goes on already. */
  start() {
    if (this.#stopped || this.#running || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#run(), this.interval);
  }

  /** End for good. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run() {
    this.#timer = null;
    this.#running = true;
    const goOn = await this.#task().finally(() => (this.#running = false));
    if (goOn) this.start();
  }
}
