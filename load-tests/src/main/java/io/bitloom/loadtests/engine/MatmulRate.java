package io.bitloom.loadtests.engine;

import io.bitloom.engine.nn.Linear;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What the machine gives at this moment: the rate of a product of two 2048×2048 matrices, on the
 * path that the models' linear layers take. The models are mostly such products, so a time
 * multiplied by the rate at which it was taken compares between machines, and between moments of a
 * machine that others use too.
 */
final class MatmulRate implements AutoCloseable {
  private static final int SIDE = 2048;
  private static final double FLOP = 2.0 * SIDE * SIDE * SIDE;
  private static final int PRODUCTS = 3;

  private final TorchDevice device;
  private final Tensor input;
  private final Linear product;

  MatmulRate(TorchDevice device, DType dtype) {
    this.device = device;
    try (Scope scope = Scope.open()) {
      Tensor random = torch.randn(SIDE, SIDE);
      input = Scope.own(Tensors.to(random, device, dtype));
      product = Linear.frozen(Tensors.to(random, device, dtype), null);
    }
  }

  /** Floating-point operations per second, the fastest of a few products. */
  double measure() {
    double fastest = Double.MAX_VALUE;
    for (int i = 0; i < PRODUCTS; i++) {
      try (Scope scope = Scope.open()) {
        long start = System.nanoTime();
        product.apply(input);
        device.synchronize();
        fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
      }
    }
    return FLOP / fastest;
  }

  @Override
  public void close() {
    input.close();
    product.close();
  }
}
