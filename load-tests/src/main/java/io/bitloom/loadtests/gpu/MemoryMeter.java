package io.bitloom.loadtests.gpu;

import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.loadtests.engine.ProcessMemory;

/**
 * The most memory that something takes besides what was taken before it. On a GPU that is what
 * libtorch has taken of the device meanwhile: it keeps what tensors have left. On a CPU it is what
 * the process had resident at most.
 */
final class MemoryMeter {
  private final TorchDevice device;
  private final long before;

  private MemoryMeter(TorchDevice device) {
    this.device = device;
    device.releaseCachedMemory();
    if (!device.cuda()) {
      ProcessMemory.resetPeak();
    }
    this.before = device.cuda() ? device.freeGpuBytes() : ProcessMemory.resident();
  }

  /** Starts to look. */
  static MemoryMeter start(TorchDevice device) {
    return new MemoryMeter(device);
  }

  /** Bytes at the peak since then. */
  long peak() {
    return device.cuda() ? before - device.freeGpuBytes() : ProcessMemory.peak() - before;
  }
}
