/**
 * Model directories: {@code model.json}, the weights that it names, and the built-in demo model.
 * Everything in a directory is checked before it is used.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.modeldir;
