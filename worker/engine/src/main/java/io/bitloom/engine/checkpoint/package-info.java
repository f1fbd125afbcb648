/**
 * Reads weight files: safetensors, PyTorch's {@code .pth}, sharded sets of both, and weights that
 * are computed from a rule. Files are mapped into memory, not copied, and nothing in them is ever
 * executed. Every file is taken for hostile until each length, offset and shape has been checked.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.checkpoint;
