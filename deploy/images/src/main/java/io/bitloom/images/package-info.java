/**
 * Builds the container images: Debian's libraries, a Java runtime, native libraries, jars, each a
 * layer. The same sources and packages give the same digests.
 */
package io.bitloom.images;
