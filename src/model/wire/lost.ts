/** The connection ended before what was asked of it was answered. */
export class ConnectionLost extends Error {
  readonly code = 'CONNECTION_CLOSED'

  constructor() {
    super('the connection was lost')
  }
}
