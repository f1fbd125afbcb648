/** The backend of {@link io.bitloom.engine.tensor.Kernels} for GPUs. */
package io.bitloom.engine.tensor.cuda;
