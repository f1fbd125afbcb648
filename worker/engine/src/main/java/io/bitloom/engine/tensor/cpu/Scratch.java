package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Memory of the current thread for intermediate results, used again by the next operation. Fresh
 * blocks of some megabytes come from the kernel each time, which clears them first: that took a
 * fifth of the decoder's time.
 */
final class Scratch {
  private static final ThreadLocal<Map<String, Tensor>> MEMORY =
      ThreadLocal.withInitial(HashMap::new);

  private Scratch() {}

  /**
   * A float32 tensor on the CPU with any content. It shares its memory with what this thread takes
   * for the same use later.
   */
  static Tensor take(String use, long... shape) {
    long count = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    Map<String, Tensor> memory = MEMORY.get();
    Tensor block = memory.get(use);
    if (block == null || block.numel() < count) {
      if (block != null) {
        block.close();
      }
      block = Scope.own(Tensors.empty(DType.F32, TorchDevice.CPU, count));
      memory.put(use, block);
    }
    return block.narrow(0, 0, count).view(shape);
  }
}
