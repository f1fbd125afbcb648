package io.bitloom.engine.tensor.cuda;

import io.bitloom.engine.tensor.LibtorchKernels;

/** The operators on GPUs: libtorch's own, on whole batches, because a launch is what costs. */
public class CudaKernels extends LibtorchKernels {
  @Override
  public boolean padsSequences() {
    return true;
  }
}
