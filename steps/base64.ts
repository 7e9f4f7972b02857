/** Base64 (RFC 4648, section 4) for the few bytes that a journal has to keep as text. */
import { Buffer } from "node:buffer";

/** Bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** The bytes that base64 stands for. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "base64"));
}
