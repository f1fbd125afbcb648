/**
 * Layers with their parameters, made of {@link io.bitloom.engine.tensor.Kernels}: the models' only
 * way to a device's operators.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.nn;
