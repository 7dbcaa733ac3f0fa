/**
 * The tag of a file whose contents nobody has read: of its size and the times of its last modification and of its last
 * change, to the nanosecond. Called for files above the ceiling, and for those of `file()`.
 */
import { strongEtag, weakEtag } from '../http/etag.ts'
import type { FileIdentity } from './identity.ts'

/** File systems count time in steps of up to two seconds (FAT): a second write within one shows in no time stamp. */
const STEP_MS = 2000

/**
 * Weak while another version could still get the same size and times (RFC 9110 section 8.8.1), strong from then on. The
 * time of the change is in it, though copies then have tags of their own: that of the modification is what archives and
 * build tools set it to, the same for all that they make. What is written through a mapping (mmap) changes neither at once.
 */
export function versionTag(identity: FileIdentity): string {
  return becomesStrongIn(identity) > 0 ? weakEtag(identity.version) : strongEtag(identity.version)
}

/** Milliseconds until the tag is strong; 0 when it is. By the time of the change, which nobody can set back. */
export function becomesStrongIn({ changedMs }: FileIdentity): number {
  return Math.max(0, changedMs + STEP_MS - Date.now())
}
