package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class DeviceThreadTest {
  @Test
  void allTasksRunOnOneThread() {
    try (DeviceThread device = new DeviceThread(TorchDevice.CPU)) {
      Thread first = device.call(Thread::currentThread);
      assertSame(first, device.call(Thread::currentThread));
      assertSame(first, device.call(() -> device.call(Thread::currentThread)));
      assertEquals("device-cpu", first.getName());
    }
  }

  @Test
  void theCallerGetsWhatTheTaskThrows() {
    try (DeviceThread device = new DeviceThread(TorchDevice.CPU)) {
      IOException fault = new IOException("no such file");
      IOException thrown =
          assertThrows(
              IOException.class,
              () ->
                  device.call(
                      () -> {
                        throw fault;
                      }));
      assertSame(fault, thrown);
    }
  }

  @Test
  void temporaryTensorsOfATaskAreFreed() {
    try (DeviceThread device = new DeviceThread(TorchDevice.CPU)) {
      Tensor temporary = device.call(() -> Tensors.of(new float[] {1}, 1));
      assertTrue(temporary.isNull());
    }
  }

  @Test
  void closingLetsSubmittedTasksFinishAndTakesNoMore() throws Exception {
    DeviceThread device = new DeviceThread(TorchDevice.CPU);
    CompletableFuture<Integer> last = null;
    for (int i = 0; i < 50; i++) {
      int value = i;
      last = device.submit(() -> value);
    }
    device.close();
    assertEquals(49, last.getNow(-1));
    assertThrows(RejectedExecutionException.class, () -> device.submit(() -> 1));
  }
}
