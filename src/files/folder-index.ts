/** What lies in each folder of a mount, for listings. Kept by the path map, a file at a time. */

export class FolderIndex {
  /** By the folder's relative path, '' or `a/b/`: names, those of folders with their slash. */
  readonly #folders = new Map<string, Set<string>>()

  /** The names in a folder; undefined when no file lies in it or below it. */
  names(folder: string): ReadonlySet<string> | undefined {
    return this.#folders.get(folder)
  }

  add(relative: string): void {
    for (const [folder, name] of steps(relative)) {
      const names = this.#folders.get(folder)
      if (names === undefined) this.#folders.set(folder, new Set([name]))
      else if (names.has(name)) return
      else names.add(name)
    }
  }

  remove(relative: string): void {
    for (const [folder, name] of steps(relative)) {
      const names = this.#folders.get(folder)
      names?.delete(name)
      if (names === undefined || names.size > 0) return
      this.#folders.delete(folder)
    }
  }
}

/** `['a/b/', 'c.txt'], ['a/', 'b/'], ['', 'a/']` for `a/b/c.txt`. */
function* steps(relative: string): Generator<readonly [folder: string, name: string]> {
  let path = relative
  while (path !== '') {
    const slash = path.lastIndexOf('/', path.length - 2) + 1
    yield [path.slice(0, slash), path.slice(slash)]
    path = path.slice(0, slash)
  }
}
