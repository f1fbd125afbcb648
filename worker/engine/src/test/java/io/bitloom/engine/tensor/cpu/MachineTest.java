package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

class MachineTest {

  @Test
  void whatComputesHereIsKnown() {
    Machine machine = Machine.of(2);
    assertTrue(machine.libtorch().matches("\\d+\\.\\d+\\.\\d+"), machine.libtorch());
    assertTrue(machine.oneDnn().matches("\\d+\\.\\d+\\.\\d+"), machine.oneDnn());
    assertFalse(machine.kernels().isEmpty());
    assertEquals(CpuKernels.computesBf16(), machine.bf16());
    assertFalse(machine.nnpack());
    assertFalse(machine.openBlas().core().isEmpty());
    String threads = System.getenv("OPENBLAS_NUM_THREADS");
    if (threads != null) { // as in this build
      assertEquals(Integer.parseInt(threads), machine.openBlas().threads());
    }
    assertEquals(1, machine.toString().lines().count());
  }

  @Test
  void whatIsNotKnownIsNotSaid() {
    Machine machine =
        new Machine("", List.of(), 1, 1, "2.13.0", "DEFAULT", "3.12.0", null, null, false, false);
    assertEquals(
        "unknown CPU, 1 processor: libtorch 2.13.0 with DEFAULT kernels on 1 thread; oneDNN 3.12.0;"
            + " BLAS unknown; without bfloat16 arithmetic; NNPACK off",
        machine.toString());
    JsonObject json = new Gson().toJsonTree(machine).getAsJsonObject();
    assertFalse(json.has("openBlas") || json.has("oneDnnLimit"), json.toString());
  }

  @Test
  void limitsAndLibrariesAreNamed() {
    Machine machine =
        new Machine(
            "A CPU",
            List.of("avx2", "fma"),
            4,
            2,
            "2.13.0",
            "AVX2",
            "3.12.0",
            "AVX2",
            new OpenBlas("0.3.31", "Haswell", 1),
            true,
            false);
    assertEquals(
        "A CPU (avx2 fma), 4 processors: libtorch 2.13.0 with AVX2 kernels on 2 threads; oneDNN"
            + " 3.12.0 up to AVX2; OpenBLAS 0.3.31 for Haswell on 1 thread; with bfloat16"
            + " arithmetic; NNPACK off",
        machine.toString());
  }
}
