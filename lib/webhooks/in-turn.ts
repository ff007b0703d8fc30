/** Runs tasks of the same name one after the other, in the order in which they came; those of others side by side. */
export function inTurn(): <T>(name: string, task: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (name, task) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(task);
    const settled = turn.then(
      () => forget(),
      () => forget(),
    );
    const forget = () => {
      if (last.get(name) === settled) last.delete(name);
    };
    last.set(name, settled);
    return turn;
  };
}
