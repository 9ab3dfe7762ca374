/** The refusal of a credential that nobody here gave out. One that was good once, and has expired, is refused otherwise: it is no guess. */
import { GatewayError } from '../../core/error.ts'

export class UnknownCredential extends GatewayError {
  constructor(message: string, cause?: unknown) {
    super('unauthenticated', message, { shouldRetry: false, cause })
  }
}
