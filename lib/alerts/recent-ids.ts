/** The last `limit` ids, oldest forgotten first: enough to drop a redelivery without growing for ever. */
export function recentIds(limit: number): { has(id: string): boolean; add(id: string): void } {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.add(id);
      // A Set keeps the order of insertion, so the first is the oldest.
      const [oldest] = ids;
      if (ids.size > limit && oldest !== undefined) ids.delete(oldest);
    },
  };
}
