/** The certificate that a caller showed, for access and the record. */
import type { IncomingMessage } from 'node:http'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { ClientCertificate, HttpRequest } from '../../core/http.ts'
import { plainRequest } from '../call-edge.ts'

/** One handshake, many calls. */
const known = new WeakMap<object, ClientCertificate | undefined>()

export function certifiedRequest(request: IncomingMessage, body: Uint8Array): HttpRequest {
  const plain = plainRequest(request, body)
  const certificate = certificateOf(request.socket as TLSSocket)
  return certificate ? { ...plain, certificate } : plain
}

/** Undefined where none was shown, and where it comes from nobody we trust: anyone can write any name into a certificate. */
function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  if (known.has(socket)) return known.get(socket)
  const shown = socket.authorized ? socket.getPeerCertificate() : undefined
  const certificate = shown?.fingerprint256 ? { subject: subjectOf(shown), fingerprint256: shown.fingerprint256 } : undefined
  known.set(socket, certificate)
  return certificate
}

/** A part that occurs several times is a list. */
const subjectOf = ({ subject }: PeerCertificate): string =>
  Object.entries(subject)
    .flatMap(([name, value]) => [value].flat().map((one) => `${name}=${String(one).replace(/[\\,+"<>;=\r\n]/g, '\\$&')}`))
    .join(',')
