/** What an earlier handler may have said of another answer than the refusal, or of another body than the refusal's. */
export const FIELDS_OF_ANOTHER_ANSWER: readonly string[] = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "etag",
  "last-modified",
  "retry-after",
  "trailer",
  "transfer-encoding",
  "www-authenticate",
];
