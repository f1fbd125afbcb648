/**
 * What the dynamic linker will need of this machine: libraries in ELF files, and where they are.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.tensor.link;
