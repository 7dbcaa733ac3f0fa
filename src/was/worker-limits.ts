/** How many workers there may be. Apart from the schema, for the command line. */

/** More than any machine has cores. */
export const MOST_WORKERS = 1024
