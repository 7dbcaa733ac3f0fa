/** A promise and the means to settle it, for what an event decides. (Promise.withResolvers begins with Node 22.) */
export class Deferred<T> {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (error: Error) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever needs it hears of its failure; where nobody does it is no failure of the process.
    this.promise.catch(() => {})
  }
}
