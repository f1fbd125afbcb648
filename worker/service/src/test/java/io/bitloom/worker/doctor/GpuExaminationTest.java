package io.bitloom.worker.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import io.bitloom.engine.tensor.LibTorch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuExaminationTest {
  private static final Setup SETUP = new Setup(Path.of("data"), 0, 0, "embedded");

  @TempDir Path folder;

  @Test
  void withoutAGpuTheBuildForCpusIsRight() {
    assumeFalse(LibTorch.builtForGpu());
    assertEquals(
        List.of(Finding.ok("gpu", "none of NVIDIA; pictures are drawn by the CPU")),
        examine(Map.of()));
  }

  @Test
  void aGpuAndItsSlicesAreNamedAndTheOtherBuildIsAdvised() throws IOException {
    assumeFalse(LibTorch.builtForGpu());
    Map<String, String> environment =
        withNvidiaSmi(
            "echo 'GPU 0: NVIDIA H200 (UUID: GPU-a)'",
            "echo '  MIG 1g.18gb     Device  0: (UUID: MIG-b)'",
            "echo 'GPU 1: NVIDIA L4 (UUID: GPU-c)'");

    assertWarnsOf("NVIDIA H200 MIG 1g.18gb (MIG-b), NVIDIA L4 (GPU-c), and a build", environment);
    environment.put("CUDA_VISIBLE_DEVICES", "1");
    assertWarnsOf("NVIDIA L4 (1), with CUDA_VISIBLE_DEVICES=1, and a build", environment);
  }

  @Test
  void aDriverWithoutAnythingElseIsNoticed() throws IOException {
    assumeFalse(LibTorch.builtForGpu());
    driver("580.65.06");
    assertWarnsOf("a driver of NVIDIA, and a build for the CPU", withNvidiaSmi("exit 9"));
  }

  /** Only in the build for GPUs, with or without a GPU. */
  @Test
  void theBuildForGpusLooksAtDriverAndLibraries() throws IOException {
    assumeTrue(LibTorch.builtForGpu());
    driver("570.133.20");
    List<Finding> findings = examine(withNvidiaSmi("echo 'GPU 0: NVIDIA H200 (UUID: GPU-a)'"));

    assertEquals(
        List.of("gpu driver", "gpu libraries", "gpu"),
        findings.stream().map(Finding::name).toList());
    assertEquals(
        "570.133.20, and CUDA 13 needs 580 or newer", findings.get(0).found(), findings::toString);
    assertEquals(Finding.Status.FAIL, findings.get(0).status());
    driver("580.65.06");
    assertEquals(Finding.ok("gpu driver", "580.65.06"), examine(withNvidiaSmi("exit 9")).get(0));
  }

  private void assertWarnsOf(String found, Map<String, String> environment) {
    List<Finding> findings = examine(environment);
    assertEquals(1, findings.size(), findings::toString);
    assertEquals(Finding.Status.WARN, findings.get(0).status());
    assertTrue(findings.get(0).found().startsWith(found), findings::toString);
    assertTrue(findings.get(0).advice().contains("mvn -Pgpu"), findings::toString);
  }

  private List<Finding> examine(Map<String, String> environment) {
    return new GpuExamination(environment, folder.resolve("dev"), folder.resolve("version"))
        .examine(SETUP);
  }

  private void driver(String version) throws IOException {
    Files.writeString(
        folder.resolve("version"),
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  " + version + "  Release Build\n");
  }

  private Map<String, String> withNvidiaSmi(String... lines) throws IOException {
    Path script = folder.resolve("nvidia-smi");
    Files.writeString(script, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return new HashMap<>(Map.of("PATH", folder.toString()));
  }
}
