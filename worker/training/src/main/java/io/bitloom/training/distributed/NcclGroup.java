package io.bitloom.training.distributed;

import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;

/**
 * NCCL's process group. It is a class of its own because its bindings load with CUDA's alone, which
 * only builds for GPUs have: a process that trains on a CPU never comes here.
 */
final class NcclGroup {
  private NcclGroup() {}

  /** The group of processes that have a store in common; belongs to the open scope. */
  static Backend of(Store store, Processes.Rendezvous rendezvous, Milliseconds timeout) {
    ProcessGroupNCCL.Options options = ProcessGroupNCCL.Options.create();
    options.timeout(timeout);
    return new ProcessGroupNCCL(store, rendezvous.rank(), rendezvous.count(), options);
  }
}
