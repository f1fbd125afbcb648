/**
 * Pictures as bytes: 8-bit RGB, and its encoding as PNG, JPEG and WebP files.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.image;
