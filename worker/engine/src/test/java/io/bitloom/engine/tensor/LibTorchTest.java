package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.concurrent.CompletableFuture;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class LibTorchTest {

  @Test
  void float32IsNotRoundedToLess() {
    LibTorch.start();
    assertFalse(torch.globalContext().allowTF32CuDNN());
    assertFalse(torch.globalContext().allowTF32CuBLAS());
    assertEquals(
        torch.Float32MatmulPrecision.HIGHEST,
        torch.globalContext().float32MatmulPrecision().intern());
  }

  @Test
  void nnpackIsOffForEveryThread() {
    LibTorch.start();
    assertFalse(torch.globalContext().userEnabledNNPACK());
    boolean elsewhere =
        CompletableFuture.supplyAsync(() -> torch.globalContext().userEnabledNNPACK()).join();
    assertFalse(elsewhere);
  }
}
