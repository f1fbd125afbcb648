package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CpuTeamTest {
  private static final int THREADS = 3;

  private int before;

  @BeforeEach
  void threeThreads() {
    before = LibTorch.threads();
    LibTorch.threads(THREADS);
  }

  @AfterEach
  void asBefore() {
    LibTorch.threads(before);
  }

  @Test
  void everyPieceRunsOnce() {
    AtomicIntegerArray runs = new AtomicIntegerArray(50);
    CpuTeam.run(50, runs::incrementAndGet);
    for (int i = 0; i < 50; i++) {
      assertEquals(1, runs.get(i), "piece " + i);
    }
  }

  @Test
  void anOperatorOfAPieceRunsOnOneThreadAndTheCallersSettingStays() {
    AtomicInteger most = new AtomicInteger();
    CpuTeam.run(
        6,
        piece -> {
          torch.ones(1 << 16).sum(); // a thread's first operator sets its number of threads
          most.accumulateAndGet(LibTorch.threads(), Math::max);
        });
    assertEquals(1, most.get());
    assertEquals(THREADS, LibTorch.threads());
  }

  @Test
  void piecesInsideAPieceRunOnItsThread() {
    AtomicIntegerArray runs = new AtomicIntegerArray(6);
    CpuTeam.run(2, piece -> CpuTeam.run(3, inner -> runs.incrementAndGet(3 * piece + inner)));
    for (int i = 0; i < 6; i++) {
      assertEquals(1, runs.get(i));
    }
  }

  @Test
  void theResultsOfPiecesAreInTheCallersTensors() {
    try (Scope scope = Scope.open()) {
      Tensor result = Tensors.zeros(DType.F32, TorchDevice.CPU, 4);
      CpuTeam.run(4, piece -> result.narrow(0, piece, 1).copy_(Tensors.of(new float[] {piece}, 1)));
      assertArrayEquals(new float[] {0, 1, 2, 3}, Tensors.floats(result));
    }
  }

  @Test
  void aFailureOfAPieceComesOutWhenTheOthersHaveEnded() {
    AtomicInteger ended = new AtomicInteger();
    RuntimeException failure =
        assertThrows(
            RuntimeException.class,
            () ->
                CpuTeam.run(
                    THREADS,
                    piece -> {
                      if (piece == 0) {
                        Tensors.empty(DType.F32, TorchDevice.CPU, 1L << 50);
                      }
                      ended.incrementAndGet();
                    }));
    assertEquals(THREADS - 1, ended.get());
    assertEquals(true, failure.getMessage().contains("memory"), failure.getMessage());
  }
}
