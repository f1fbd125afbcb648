package io.bitloom.client.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Finding.Status;
import io.bitloom.common.doctor.Setup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExaminationsTest {

  @TempDir Path folder;

  private Setup setup(Path data, int port) {
    return new Setup(data, port, 0, "embedded");
  }

  @Test
  void everyExaminationOfThisProgramIsFoundAndSaysWhatToDoUnlessAllIsWell() {
    List<Finding> findings =
        ServiceLoader.load(Examination.class).stream()
            .flatMap(provider -> provider.get().examine(setup(folder, 0)).stream())
            .toList();

    assertEquals(
        "java build memory data cache temporary files grpc port http port locale open files"
            + " processes",
        findings.stream().map(Finding::name).collect(Collectors.joining(" ")));
    for (Finding finding : findings) {
      assertEquals(finding.status() == Status.OK, finding.advice().isEmpty(), finding.toString());
    }
  }

  @Test
  void whoHoldsAPortIsNamed() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Finding grpc = new PortsExamination().examine(setup(folder, taken.getLocalPort())).get(0);

      assertEquals(Status.FAIL, grpc.status());
      assertTrue(
          grpc.found()
              .startsWith(
                  taken.getLocalPort() + " belongs to process " + ProcessHandle.current().pid()),
          grpc.toString());
      assertTrue(grpc.advice().contains("--grpc-port"), grpc.toString());
    }
  }

  @Test
  void aFolderThatCannotBeMadeIsNamedAndNothingIsLeftOfTheAttempt() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Finding bad = DiskExamination.judged("data", file.resolve("data"), 1, "--data");
    assertEquals(Status.FAIL, bad.status());
    assertTrue(bad.found().contains(file.toString()), bad.toString());

    Finding good = DiskExamination.judged("data", folder.resolve("a/b"), 1, "--data");
    assertEquals(Status.OK, good.status());
    try (var left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  @Test
  void aDiskWithoutRoomIsSaidWithWhatIsWanted() {
    Finding finding = DiskExamination.judged("data", folder, Long.MAX_VALUE, "--data");

    assertTrue(finding.status() != Status.OK, finding.toString());
    assertTrue(finding.advice().startsWith("make room for "), finding.toString());
  }
}
