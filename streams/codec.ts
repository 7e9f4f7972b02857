/** How plain blocks are compressed. */
export type Codec = "zstd" | "gzip" | "none";
