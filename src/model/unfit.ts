/** What the types throw for a value that no column can hold, though its type is right. Told from misuse by `statement.ts`. */

/** A client may have sent it; no program means it. */
export class Unfit extends TypeError {}
