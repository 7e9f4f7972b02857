/** Takes secrets out of text before anybody sees it: the last door, behind code that should not let them out at all. */

/** Shorter values would blank out innocent words. */
const LEAST_LENGTH = 6;
const MASK = "***";

const secrets = new Set<string>();

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // The password of a URL (RFC 3986 3.2.1); up to the last @ before the path, as people forget to encode theirs.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"']*):[^\s/?#"']*@/gi, `$1:${MASK}@`],
  // Query parameters that carry credentials, signed URLs among them.
  [
    /([?&](?:password|passwd|pwd|token|secret|sig|sv_sig|api_?key|access_?key|x-amz-(?:signature|credential|security-token)|x-goog-signature)=)[^\s&"']+/gi,
    `$1${MASK}`,
  ],
  // age identities (https://age-encryption.org/v1), post-quantum ones and plugins too.
  [/AGE-(?:SECRET-KEY|PLUGIN)-[A-Z0-9-]+/gi, MASK],
  // Headers.
  [/\b(authorization:?\s*(?:bearer|basic)\s+)[^\s"']+/gi, `$1${MASK}`],
  // Keyword/value connection strings of libpq and others.
  [/\b(password\s*=\s*)(?:'[^']*'|"[^"]*"|[^\s&"']+)/gi, `$1${MASK}`],
  // Incoming webhooks are secrets by themselves.
  [/(https:\/\/hooks\.slack\.com\/services\/)[^\s"']+/gi, `$1${MASK}`],
];

/** Remembers a value that was fetched as a secret, so that it is masked wherever it turns up. */
export function registerSecret(value: string): void {
  const secret = value.trim();
  if (secret.length < LEAST_LENGTH) return;
  secrets.add(secret);
  // Inside a URL it is written like this.
  secrets.add(encodeURIComponent(secret));
}

/** The text with everything masked that looks like a credential or was registered as one. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}
