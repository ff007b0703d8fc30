/** The last `capacity` things that happened, and how many there ever were. */
export class Ring<T> {
  readonly #capacity: number;
  #kept: T[] = [];
  #seen = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many were ever pushed since the last reset. */
  get seen(): number {
    return this.#seen;
  }

  push(item: T): void {
    this.#seen += 1;
    this.#kept.push(item);
    // Cut in halves, not one by one: shifting a long list for each item would make a flood quadratic.
    if (this.#kept.length >= 2 * this.#capacity) this.#kept = this.#kept.slice(-this.#capacity);
  }

  /** Oldest first. */
  items(): T[] {
    return this.#kept.slice(-this.#capacity);
  }

  reset(): void {
    this.#kept = [];
    this.#seen = 0;
  }
}
