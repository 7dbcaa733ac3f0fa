/** The shape of one kind of error. */

export interface ErrorEntry {
  /** Text with `{name}` places; says what was wrong, with the value, and what to do. */
  readonly message: string
  /** HTTP status of the reply when it happens during a request; 500 for start-up mistakes. */
  readonly status: number
  readonly base: 'Error' | 'TypeError' | 'RangeError'
  readonly when: 'start' | 'request'
}
