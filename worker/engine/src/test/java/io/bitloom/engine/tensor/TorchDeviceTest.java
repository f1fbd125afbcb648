package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchDeviceTest {

  @Test
  void aGpuBeyondThoseThatAreSeenIsRefused() {
    assertEquals(TorchDevice.cuda(1), TorchDevice.among(1, 2));
    String beyond =
        assertThrows(IllegalArgumentException.class, () -> TorchDevice.among(2, 2)).getMessage();
    assertTrue(
        beyond.startsWith("device cuda:2: this process sees 2 CUDA devices, cuda:0 to cuda:1"),
        beyond);
    String alone =
        assertThrows(IllegalArgumentException.class, () -> TorchDevice.among(1, 1)).getMessage();
    assertTrue(alone.contains("one CUDA device, cuda:0"), alone);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda", "cuda:0", "CUDA:3"})
  void theBuildForCpusSaysWhichBuildIsForGpus(String name) {
    assumeFalse(LibTorch.builtForGpu());

    String refused =
        assertThrows(LibTorchException.class, () -> TorchDevice.parse(name)).getMessage();
    assertTrue(refused.contains("no CUDA device is available"), refused);
    assertTrue(refused.contains("mvn -Pgpu -DskipTests package"), refused);
    assertFalse(refused.contains("\n"), refused);
  }

  @Test
  void autoIsTheCpuInTheBuildForCpus() {
    assumeFalse(LibTorch.builtForGpu());
    assertEquals(TorchDevice.CPU, TorchDevice.parse("auto"));
    assertEquals(TorchDevice.CPU, TorchDevice.parse("cpu"));
    assertTrue(LibTorch.hostLibraries().isEmpty());
    assertEquals(0, LibTorch.cudaDevices());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpu", "cuda:", "cuda:-1", "cuda:1000", "", "meta"})
  void otherNamesAreRefused(String name) {
    String refused =
        assertThrows(IllegalArgumentException.class, () -> TorchDevice.parse(name)).getMessage();
    assertTrue(refused.startsWith("device: expected auto, cpu or cuda:N"), refused);
  }
}
