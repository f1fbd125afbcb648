package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What only a GPU can show; needs a build with {@code -Pgpu} and a CUDA device. */
class CudaTest {
  private final InfinityConfig config = TinyInfinity.config();

  @BeforeAll
  static void needsAGpu() {
    if (!LibTorch.cudaAvailable()) {
      System.out.println("CudaTest is skipped: libtorch finds no CUDA device here");
    }
    assumeTrue(LibTorch.cudaAvailable(), "no CUDA device");
  }

  @Test
  void aGpuDrawsTheBitsOfTheCpu() {
    assertTrue(agreement(DType.F32) > 0.99);
  }

  @Test
  void bfloat16DrawsMostOfThem() {
    assertTrue(agreement(DType.BF16) > 0.9);
  }

  @Test
  void autoIsTheFirstGpuAndItsMemoryIsKnown() {
    TorchDevice device = TorchDevice.parse("auto");
    assertEquals(TorchDevice.cuda(0), device);
    assertTrue(device.freeGpuBytes() > 0);
    device.synchronize();
    device.releaseCachedMemory();
  }

  private double agreement(DType dtype) {
    try (Scope scope = Scope.open()) {
      byte[] expected = lastBits(TorchDevice.CPU, DType.F32);
      byte[] computed = lastBits(TorchDevice.parse("cuda:0"), dtype);
      int equal = 0;
      for (int i = 0; i < expected.length; i++) {
        equal += expected[i] == computed[i] ? 1 : 0;
      }
      return (double) equal / expected.length;
    }
  }

  private byte[] lastBits(TorchDevice device, DType dtype) {
    try (Weights weights = TinyInfinity.weights(config);
        InfinityTransformer model =
            InfinityTransformer.forInference(config, weights, device, dtype)) {
      GenerationBatch batch =
          new GenerationBatch(
              TinyInfinity.SCALES,
              TinyInfinity.text("p", 5, 2),
              null,
              List.of(TinyInfinity.greedy(3), TinyInfinity.greedy(2)));
      List<Tensor> bits = model.generate(batch, ScaleObserver.NONE).bits();
      return Tensors.bytes(bits.get(bits.size() - 1));
    }
  }
}
