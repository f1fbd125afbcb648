/**
 * Layers with their parameters, made of {@link io.bitloom.engine.tensor.Kernels}: the models' only
 * way to a device's operators.
 */
package io.bitloom.engine.nn;
