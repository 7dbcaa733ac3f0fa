/** Tells folders whose changes the system does not report: others may write to them from elsewhere. */
import { statfs } from 'node:fs/promises'

/** Linux's numbers of file systems (statfs(2)): NFS, SMB, CIFS, FUSE, 9P, AFS, Ceph, VirtualBox's folders. */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x65735546, 0x01021997, 0x5346414f, 0x00c36400,
  0x786f4256,
])

/** False where it cannot be told. */
export async function isRemote(dir: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const found = await statfs(dir).catch(() => null)
  return found !== null && isRemoteType(found.type)
}

/** `type` as `statfs` gives it, which may be signed. */
export function isRemoteType(type: number): boolean {
  return REMOTE.has(type >>> 0)
}
