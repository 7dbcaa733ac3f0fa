/** Errors of Node's HTTP parser and its deadlines → the status that a client is told. Pure. */

/** Node's error: `code` is llhttp's or Node's, `rawPacket` what was being read. */
export interface ParserError extends Error {
  readonly code?: string
  /** llhttp's words. */
  readonly reason?: string
  readonly rawPacket?: Buffer
  /** Where in it the parser stopped. */
  readonly bytesParsed?: number
}

/** 0 where the connection is gone and nobody can be told. `maxUrlBytes`: a longer target is 414. */
export function statusOfParserError(error: ParserError, maxUrlBytes: number): number {
  const { code, reason, rawPacket } = error
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return isLongTarget(rawPacket, maxUrlBytes) ? 414 : 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    case 'HPE_INVALID_VERSION':
      return reason === 'Invalid HTTP version' ? 505 : 400
    case 'HPE_PAUSED_H2_UPGRADE':
      return 505
    default:
      return code?.startsWith('HPE_') ? 400 : 0
  }
}

/** It is the request line that makes the head too large (RFC 9110 section 15.5.15). */
function isLongTarget(packet: Buffer | undefined, maxUrlBytes: number): boolean {
  if (packet === undefined || !/^[A-Z]+ /.test(packet.toString('latin1', 0, 16))) return false
  const end = packet.indexOf('\n')
  return end < 0 || end > maxUrlBytes
}
