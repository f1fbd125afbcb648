/**
 * Model directories: {@code model.json}, the weights that it names, and the built-in demo model.
 * Everything in a directory is checked before it is used.
 */
package io.bitloom.engine.modeldir;
