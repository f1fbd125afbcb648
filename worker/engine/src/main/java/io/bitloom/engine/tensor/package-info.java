/**
 * The thin layer over Bytedeco's libtorch: start-up, devices, scopes that free native memory, named
 * weights, and the operations that the models use under their usual names. It knows nothing of
 * gRPC, Redis or HTTP, never switches autograd off, and adds no behaviour of its own to an
 * operator.
 *
 * <p>Not part of the library's public face: may change in any release.
 */
package io.bitloom.engine.tensor;
