package io.bitloom.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What images are made of, as it is written down. */
class MaterialsTest {

  private static final String DIGEST = "0".repeat(64);

  @TempDir Path directory;

  @Test
  void mavensListIsReadWithItsColoursAndModules() throws IOException {
    Path list = directory.resolve("artifacts.txt");
    Files.writeString(
        list,
        """

        The following files have been resolved:
           io.grpc:grpc-stub:jar:1.85.1:compile[36m -- module io.grpc.stub[m
           org.bytedeco:pytorch:jar:linux-x86_64:2.13.0-1.5.14:runtime
        """);
    Map<String, Artifact> artifacts = Artifact.read(list);
    assertEquals(
        new Artifact("org.bytedeco", "pytorch", "2.13.0-1.5.14", Optional.of("linux-x86_64")),
        artifacts.get("pytorch-2.13.0-1.5.14-linux-x86_64.jar"));
    assertEquals(
        "pkg:maven/io.grpc/grpc-stub@1.85.1?type=jar", artifacts.get("grpc-stub-1.85.1.jar").url());
    assertEquals(2, artifacts.size());
  }

  @Test
  void aListOfPackagesIsReadAsItWasWritten() throws IOException {
    DebianPackage libc = new DebianPackage("libc6", "2.36-9+deb12u14", "amd64", DIGEST);
    Path list = directory.resolve("packages.txt");
    DebianPackages.write(List.of(libc), list);
    assertEquals(List.of(libc), DebianPackages.read(list));
    assertEquals(
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12", libc.url("12"));
  }

  @Test
  void aLineThatIsNoPackageIsNamed() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> DebianPackage.parse("libc6 2.36 amd64 none"));
    assertTrue(refused.getMessage().contains("libc6 2.36 amd64 none"));
  }

  @Test
  void theSameBillHasTheSameNumberAndAnotherHasAnother() {
    assertEquals(bill("1").json(), bill("1").json());
    assertTrue(!bill("1").json().equals(bill("2").json()));
  }

  private static Bill bill(String version) {
    Bill bill = new Bill("bitloom-client", version, Instant.EPOCH);
    bill.add(new DebianPackage("libc6", "2.36", "amd64", DIGEST), "12");
    return bill;
  }
}
