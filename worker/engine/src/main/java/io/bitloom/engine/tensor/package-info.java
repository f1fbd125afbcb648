/**
 * The thin layer over Bytedeco's libtorch: start-up, devices, scopes that free native memory, named
 * weights, and {@link io.bitloom.engine.tensor.Kernels}, the operators that a device's backend
 * brings. It knows nothing of gRPC, Redis or HTTP.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.tensor;
