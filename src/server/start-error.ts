/** Why a gateway cannot start, in words for its operator. */
import type { Config } from '../config/config.ts'

/** Thrown when the gateway cannot start: one line with the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** What listening failed with, with the remedy. */
export function startError(error: unknown, { server: { host, port } }: Config): Error {
  switch ((error as { code?: string }).code) {
    case 'EADDRINUSE':
      return new StartError(`port ${port} on ${host} is in use: stop what listens there, or choose another with --port`)
    case 'EACCES':
      return new StartError(`port ${port} on ${host} may not be used by this user: choose one above 1023 with --port`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`${host} is not an address of this machine: choose another with --host`)
    default:
      return error as Error
  }
}
