package io.bitloom.engine.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Kernels;
import io.bitloom.engine.tensor.Resize;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.function.BiFunction;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What libtorch does not compute on meta has the shapes that it computes where there are values.
 */
class MetaKernelsTest {
  private InferenceMode inference;
  private Scope scope;

  @BeforeEach
  void withoutGradients() {
    inference = new InferenceMode(true);
    scope = Scope.open();
  }

  @AfterEach
  void end() {
    scope.close();
    inference.close();
  }

  private static Tensor x(TorchDevice device, long... shape) {
    return Tensors.zeros(DType.F32, device, shape);
  }

  private static void sameShape(BiFunction<Kernels, TorchDevice, Tensor> operator) {
    Tensor computed = operator.apply(new CudaKernels(), TorchDevice.CPU);
    Tensor inferred = operator.apply(new MetaKernels(), TorchDevice.META);
    assertTrue(inferred.is_meta());
    assertArrayEquals(computed.shape(), inferred.shape());
    assertEquals(Tensors.dtype(computed), Tensors.dtype(inferred));
  }

  @Test
  void everyOperatorHasTheShapeOfItsResult() {
    sameShape((k, on) -> k.layerNorm(x(on, 2, 5, 64), x(on, 64), x(on, 64), 1e-6));
    sameShape(
        (k, on) ->
            k.modulatedNorm(x(on, 2, 5, 64), false, 1, x(on, 2, 1, 64), x(on, 1, 64), DType.BF16));
    sameShape((k, on) -> k.groupNorm(x(on, 2, 64, 6, 5), 32, x(on, 64), x(on, 64), 1e-6));
    sameShape((k, on) -> k.conv2d(x(on, 2, 64, 7, 6), x(on, 32, 64, 3, 3), x(on, 32), 1, 1));
    sameShape((k, on) -> k.conv2d(x(on, 2, 64, 7, 6), x(on, 32, 64, 3, 3), null, 2, 0));
    sameShape((k, on) -> k.conv2d(x(on, 2, 64, 7, 6), x(on, 8, 64, 1, 1), null, 1, 0));
    sameShape((k, on) -> k.doubledConv2d(x(on, 2, 64, 7, 6), x(on, 32, 64, 3, 3), x(on, 32)));
    sameShape(
        (k, on) ->
            k.attention(
                x(on, 2, 5, 4, 8), x(on, 2, 9, 4, 8), x(on, 2, 9, 4, 8), x(on, 2, 1, 1, 9), 1));
    sameShape((k, on) -> Resize.area(x(on, 2, 3, 8, 9), 3, 5));
    sameShape((k, on) -> Tensors.rows(x(on, 7, 3, 2), Tensors.range(4, on)));
    sameShape(
        (k, on) -> Tensors.where(x(on, 2, 1, 1).lt(x(on, 1)), x(on, 1, 4, 1), x(on, 1, 1, 3)));
  }

  @Test
  void aMapKeepsItsChannelsLast() {
    Tensor map = Tensors.channelsLast(x(TorchDevice.META, 1, 64, 8, 8));
    Tensor weight = x(TorchDevice.META, 32, 64, 3, 3);
    Tensor convolved = new MetaKernels().conv2d(map, weight, null, 1, 1);
    assertEquals(1, convolved.stride(1));
  }

  @Test
  void operandsThatAGpuWouldRefuseAreRefused() {
    Kernels kernels = new MetaKernels();
    Tensor map = x(TorchDevice.META, 1, 64, 8, 8);
    Tensor weight = x(TorchDevice.META, 32, 64, 3, 3);
    Tensor keys = x(TorchDevice.META, 1, 9, 4, 8);
    refused(() -> kernels.conv2d(map, x(TorchDevice.CPU, 32, 64, 3, 3), null, 1, 1));
    refused(() -> kernels.conv2d(map, weight, x(TorchDevice.META, 31), 1, 1));
    refused(() -> kernels.conv2d(Tensors.to(map, DType.BF16), weight, null, 1, 1));
    refused(() -> kernels.groupNorm(map, 24, null, null, 1));
    refused(() -> kernels.layerNorm(map, x(TorchDevice.CPU, 8), null, 1));
    refused(() -> kernels.attention(x(TorchDevice.META, 1, 5, 4, 16), keys, keys, null, 1));
    refused(() -> kernels.attention(keys, keys, keys, x(TorchDevice.CPU, 1, 1, 9, 9), 1));
    refused(() -> Tensors.rows(map, Tensors.range(1, TorchDevice.CPU)));
    refused(() -> Tensors.where(map.lt(map), map, x(TorchDevice.CPU, 1)));
  }

  private static void refused(Runnable operator) {
    assertThrows(IllegalArgumentException.class, operator::run);
  }
}
