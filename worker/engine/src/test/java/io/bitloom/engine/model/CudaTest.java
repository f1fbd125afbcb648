package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
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

  @Test
  void geluInsideAProductIsTheTanhApproximation() {
    try (Scope scope = Scope.open();
        InferenceMode inference = new InferenceMode(true)) {
      Tensor x = torch.randn(50, 64);
      Tensor weight = torch.randn(32, 64);
      Tensor bias = torch.randn(32);
      Tensor product = Tensors.times(Nn.linear(x, weight, bias), 0.1);
      Tensor gpuWeight = Tensors.to(Tensors.times(weight, 0.1), TorchDevice.cuda(0), DType.F32);
      Tensor gpuBias = Tensors.to(Tensors.times(bias, 0.1), TorchDevice.cuda(0), DType.F32);
      try (Linear layer = Linear.frozen(gpuWeight, gpuBias)) {
        assertArrayEquals(
            Tensors.floats(torch.gelu(product, "tanh")),
            Tensors.floats(layer.applyGelu(Tensors.to(x, TorchDevice.cuda(0), DType.F32))),
            2e-5f); // the exact form is up to 5e-4 away
      }
    }
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
