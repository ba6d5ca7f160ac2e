/** Heights of rows, measured where known, and what part of them a viewport needs. */
export class ListLayout {
  readonly #heights = new Map<string, number>();
  readonly #estimate: (index: number) => number;
  #keys: readonly string[] = [];
  #tops: number[] = [0];

  constructor(estimate: (index: number) => number) {
    this.#estimate = estimate;
  }

  /** Take the keys of all rows, top to bottom. */
  setKeys(keys: readonly string[]): void {
    this.#keys = keys;
    this.#sum();
  }

  /** Take what was measured. Returns whether anything was different. */
  measure(measured: Iterable<readonly [key: string, height: number]>): boolean {
    let changed = false;
    for (const [key, height] of measured) {
      const known = this.#heights.get(key);
      if (known !== undefined && Math.abs(known - height) < 0.1) continue;
      this.#heights.set(key, height);
      changed = true;
    }
    if (changed) this.#sum();
    return changed;
  }

  isMeasured(key: string): boolean {
    return this.#heights.has(key);
  }

  get count(): number {
    return this.#keys.length;
  }

  get total(): number {
    return this.#tops[this.#keys.length] ?? 0;
  }

  top(index: number): number {
    return this.#tops[Math.max(0, Math.min(index, this.#keys.length))] ?? 0;
  }

  keyAt(index: number): string | undefined {
    return this.#keys[index];
  }

  indexOf(key: string): number {
    return this.#keys.indexOf(key);
  }

  /** The row that covers the offset `y`. */
  at(y: number): number {
    let low = 0;
    let high = Math.max(0, this.#keys.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Rows to draw for a viewport: start inclusive, end exclusive. */
  range(scrollTop: number, viewport: number, overscan: number): [number, number] {
    if (this.#keys.length === 0) return [0, 0];
    return [this.at(scrollTop - overscan), this.at(scrollTop + viewport + overscan) + 1];
  }

  #sum(): void {
    const tops = new Array<number>(this.#keys.length + 1);
    tops[0] = 0;
    for (let i = 0; i < this.#keys.length; i++) {
      tops[i + 1] = (tops[i] ?? 0) + (this.#heights.get(this.#keys[i] ?? "") ?? this.#estimate(i));
    }
    this.#tops = tops;
  }
}
