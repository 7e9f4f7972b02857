/** How plain blocks are compressed. */
export type Codec = Compression | "none";

/** What the workers compress with. */
export type Compression = "zstd" | "gzip";
