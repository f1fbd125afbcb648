package io.bitloom.engine.tensor.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostLibrariesTest {
  private static final Path LIBJVM =
      Path.of(System.getProperty("java.home"), "lib/server/libjvm.so");

  @TempDir Path folder;

  private Path bundle;
  private Path cuda;
  private Path other;

  @BeforeEach
  void folders() throws IOException {
    bundle = Files.createDirectory(folder.resolve("bundle"));
    cuda = Files.createDirectory(folder.resolve("cuda"));
    other = Files.createDirectory(folder.resolve("other"));
  }

  private static LinkerPaths paths(Path... libraryPath) {
    return new LinkerPaths(List.of(libraryPath), Map.of(), List.of());
  }

  private static Path library(Path folder, String name, String... needed) throws IOException {
    return TestElf.write(folder.resolve(name), "", List.of(needed));
  }

  @Test
  void allThatIsMissingIsNamedAlsoWhatOnlyALibraryOfTheMachineNeeds() throws IOException {
    Path loaded = library(bundle, "libjnitorch.so", "libtorch.so", "libcudart.so.13");
    Path torch = library(bundle, "libtorch.so", "libcusparse.so.12", "libcupti.so.13");
    Path unused = library(bundle, "libjninpp.so", "libnppc.so.13");
    Path cusparse = library(cuda, "libcusparse.so.12", "libnvJitLink.so.13", "libcudart.so.13");

    HostLibraries host =
        HostLibraries.of(List.of(loaded), List.of(loaded, torch, unused), paths(cuda));

    assertEquals(Map.of("libcusparse.so.12", cusparse), host.found());
    assertEquals(Set.of("libcudart.so.13", "libcupti.so.13", "libnvJitLink.so.13"), host.missing());
  }

  @Test
  void aLibraryOfTheBundleIsKnownByTheNameInsideOfIt() throws IOException {
    Path loaded = library(bundle, "libtorch.so", "libopenblas.so.0");
    Path openBlas = library(bundle, "libopenblas.so.0");
    Path renamed = Files.move(openBlas, bundle.resolve("libopenblas_nolapack.so.0"));

    HostLibraries host = HostLibraries.of(List.of(loaded), List.of(loaded, renamed), paths());

    assertTrue(host.missing().isEmpty() && host.found().isEmpty(), host::toString);
  }

  @Test
  void theLinkersOrderIsKept() throws IOException {
    Path loaded =
        TestElf.write(bundle.resolve("liba.so"), "$ORIGIN/../other:/nowhere", List.of("libx.so"));
    Path system = Files.createDirectory(folder.resolve("system"));
    Path cached = library(system, "libx.so");
    Path inRunPath = library(other, "libx.so");
    Path inLibraryPath = library(cuda, "libx.so");
    LinkerPaths all =
        new LinkerPaths(List.of(cuda), Map.of("libx.so", cached), List.of(folder, bundle));

    assertFinds(inLibraryPath, loaded, all);
    Files.delete(inLibraryPath);
    assertFinds(inRunPath, loaded, all);
    Files.delete(inRunPath);
    assertFinds(cached, loaded, all);
    Files.delete(cached); // and the list is older than that
    Path inSystem = library(folder, "libx.so");
    assertFinds(inSystem, loaded, all);
  }

  private static void assertFinds(Path expected, Path loaded, LinkerPaths paths)
      throws IOException {
    HostLibraries host = HostLibraries.of(List.of(loaded), List.of(loaded), paths);
    assertEquals(expected.toRealPath(), host.found().get("libx.so").toRealPath());
  }

  @Test
  void whatIsNoLibraryIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(library(bundle, "liba.so", "libb.so"));
    byte[] ofArm = whole.clone();
    ofArm[18] = (byte) 183;
    byte[] farAway = whole.clone();
    Arrays.fill(farAway, 32, 40, (byte) 0x7f);
    for (byte[] broken :
        List.of(
            new byte[0],
            new byte[200],
            "GROUP ( libc.so.6 )".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
            Arrays.copyOf(whole, 100),
            Arrays.copyOf(whole, whole.length - 4),
            ofArm,
            farAway)) {
      Path file = Files.write(bundle.resolve("libbroken.so"), broken);
      IOException refused = assertThrows(IOException.class, () -> ElfFile.read(file));
      assertTrue(refused.getMessage().startsWith(file + " is no "), refused.getMessage());
    }
  }

  /** The JVM's own library, and one that was made by a test, are read as readelf reads them. */
  @Test
  void readelfReadsTheSame() throws IOException {
    if (!Readelf.present()) {
      System.out.println("HostLibrariesTest: ELF files are not compared, readelf is missing");
    }
    assumeTrue(Readelf.present(), "no readelf");
    Path made = TestElf.write(bundle.resolve("liba.so"), "/x:$ORIGIN", List.of("libb.so", "libc"));
    for (Path file : List.of(LIBJVM, made)) {
      ElfFile read = ElfFile.read(file);
      assertEquals(Readelf.values(file, "NEEDED"), read.needed());
      assertEquals(Readelf.values(file, "SONAME").stream().findFirst(), read.soname());
      assertFalse(read.needed().isEmpty());
    }
    assertEquals(List.of("/x", "$ORIGIN"), ElfFile.read(made).runPath());
  }

  @Test
  void whatTheJvmNeedsIsFoundOnThisMachine() throws IOException {
    HostLibraries host =
        HostLibraries.of(List.of(LIBJVM), List.of(LIBJVM), LinkerPaths.ofThisProcess(List.of()));

    assertEquals(Set.of(), host.missing());
    assertTrue(host.found().containsKey("libc.so.6"), host.found()::toString);
  }

  @Test
  void theListOfTheLinkerIsRead() throws IOException {
    Path cache = Path.of("/etc/ld.so.cache");
    if (!Files.exists(cache)) {
      System.out.println("HostLibrariesTest: the linker's list is not read, there is none");
    }
    assumeTrue(Files.exists(cache), "no list of the linker");
    Map<String, Path> libraries = LinkerCache.read(cache);

    assertTrue(libraries.size() > 10, libraries::toString);
    assertEquals(Optional.of("libc.so.6"), ElfFile.read(libraries.get("libc.so.6")).soname());
    byte[] content = Files.readAllBytes(cache);
    Path shifted = folder.resolve("older-format-first");
    byte[] behind = new byte[content.length + 16];
    System.arraycopy(content, 0, behind, 16, content.length);
    assertEquals(libraries, LinkerCache.read(Files.write(shifted, behind)));
  }

  @Test
  void withoutAListThatCanBeReadNothingIsInIt() throws IOException {
    Path cut = Files.writeString(folder.resolve("cut"), "glibc-ld.so.cache1.1\5\0\0\0");

    assertEquals(Map.of(), LinkerCache.read(cut));
    assertEquals(Map.of(), LinkerCache.read(folder.resolve("nowhere")));
    assertEquals(Map.of(), LinkerCache.read(Files.write(folder.resolve("no"), new byte[64])));
  }
}
