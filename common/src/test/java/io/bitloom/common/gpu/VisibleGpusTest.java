package io.bitloom.common.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code nvidia-smi} is a script that answers as the real one does. */
class VisibleGpusTest {
  private static final String FIRST = "GPU-3b1c2a08-6e3f-11ef-9d5a-0242ac120002";
  private static final String SECOND = "GPU-3b1c2a08-7f40-11ef-9d5a-0242ac120002";
  private static final String SLICE = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd";
  private static final String OTHER_SLICE = "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d";

  private static final String TWO =
      "echo 'GPU 0: NVIDIA H200 (UUID: "
          + FIRST
          + ")'\n"
          + "echo 'GPU 1: NVIDIA RTX PRO 6000 (Blackwell) (UUID: "
          + SECOND
          + ")'\n";
  private static final String SLICED =
      "echo 'GPU 0: NVIDIA H200 (UUID: "
          + FIRST
          + ")'\n"
          + "echo '  MIG 3g.71gb     Device  0: (UUID: "
          + SLICE
          + ")'\n"
          + "echo '  MIG 1g.18gb+me  Device  1: (UUID: "
          + OTHER_SLICE
          + ")'\n"
          + "echo 'GPU 1: NVIDIA H200 (UUID: "
          + SECOND
          + ")'\n";

  @TempDir Path folder;

  @Test
  void withoutAChoiceAllAreSeenByTheirUuids() throws IOException {
    assertEquals(
        List.of(new Gpu(FIRST, "NVIDIA H200"), new Gpu(SECOND, "NVIDIA RTX PRO 6000 (Blackwell)")),
        seen(TWO, null));
    assertEquals("-L", Files.readString(folder.resolve("asked")).strip());
  }

  @Test
  void slicesStandForTheGpuThatTheyArePartsOf() throws IOException {
    assertEquals(
        List.of(
            new Gpu(SLICE, "NVIDIA H200 MIG 3g.71gb"),
            new Gpu(OTHER_SLICE, "NVIDIA H200 MIG 1g.18gb+me"),
            new Gpu(SECOND, "NVIDIA H200")),
        seen(SLICED, null));
  }

  /** A UUID may be cut off; CUDA reads no further than a wrong entry, and so nothing after it. */
  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      value = {
        "'1'|'1'",
        "'1,0'|'1;0'",
        "' 0 , 1'|'0;1'",
        "'0,2,1'|'0'",
        "'-1'|none",
        "'0,-1,1'|'0'",
        "''|none",
        "'NoDevFiles'|none",
        "'GPU-3b1c2a08-7'|'GPU-3b1c2a08-7'",
        "'GPU-3b1c2a08'|none",
        "'GPU-ffff,0'|none",
        "'MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d,0'|none",
        "'99999999999'|none",
      },
      delimiter = '|')
  void aChoiceIsReadAsCudaReadsIt(String variable, String expected) throws IOException {
    List<String> ids = seen(TWO, variable).stream().map(Gpu::id).toList();

    assertEquals(expected == null ? List.of() : List.of(expected.split(";")), ids);
  }

  @Test
  void aSliceCanBeChosen() throws IOException {
    assertEquals(
        List.of(new Gpu(OTHER_SLICE, "NVIDIA H200 MIG 1g.18gb+me")), seen(SLICED, OTHER_SLICE));
  }

  @Test
  void whereNvidiaSmiFailsOrIsMissingDeviceFilesAreCounted() throws IOException {
    Path devices = Files.createDirectory(folder.resolve("dev"));
    for (String name : List.of("nvidia3", "nvidia5", "nvidiactl", "nvidia-uvm", "null")) {
      Files.createFile(devices.resolve(name));
    }
    String failing =
        "echo 'NVIDIA-SMI has failed because it could not reach the driver.'\nexit 9\n";

    assertEquals(List.of("0", "1"), ids(seen(failing, null)));
    assertEquals(List.of("1"), ids(seen(failing, "1")));
    assertEquals(List.of(FIRST), ids(seen(failing, FIRST)));
    Files.delete(folder.resolve("bin/nvidia-smi"));
    assertEquals(
        List.of("0", "1"),
        ids(VisibleGpus.find(Map.of("PATH", folder.resolve("bin").toString()), devices)));
  }

  @Test
  void withoutAnyThereIsNone() throws IOException {
    assertEquals(List.of(), seen("echo 'No devices found.'\n", null));
    assertEquals(List.of(), seen("exit 6\n", "0"));
    assertEquals(List.of(), VisibleGpus.find(Map.of(), folder.resolve("nowhere")));
  }

  private static List<String> ids(List<Gpu> gpus) {
    return gpus.stream().map(Gpu::id).toList();
  }

  private List<Gpu> seen(String answer, String variable) throws IOException {
    Path bin = Files.createDirectories(folder.resolve("bin"));
    Path script = bin.resolve("nvidia-smi");
    Files.writeString(script, "#!/bin/sh\necho \"$*\" >'" + folder + "/asked'\n" + answer);
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<String, String> environment = new HashMap<>();
    environment.put("PATH", folder.resolve("nowhere") + ":" + bin);
    if (variable != null) {
      environment.put(VisibleGpus.VARIABLE, variable);
    }
    return VisibleGpus.find(environment, folder.resolve("dev"));
  }

  @ParameterizedTest
  @CsvSource({
    "'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.133.20  Sun Mar 30 04:06:05 UTC 2025',"
        + " 570.133.20, 570",
    "'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (a@b)',"
        + " 580.65.06, 580",
  })
  void theDriverIsReadAsTheKernelNamesIt(String line, String version, int branch)
      throws IOException {
    Path file = folder.resolve("version");
    Files.writeString(file, line + "\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");

    assertEquals(Optional.of(new NvidiaDriver(version, branch)), NvidiaDriver.read(file));
    Files.writeString(file, "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");
    assertTrue(NvidiaDriver.read(file).isEmpty());
    assertTrue(NvidiaDriver.read(folder.resolve("nowhere")).isEmpty());
  }
}
