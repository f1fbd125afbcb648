/**
 * The backend of {@link io.bitloom.engine.tensor.Kernels} for GPUs.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.tensor.cuda;
