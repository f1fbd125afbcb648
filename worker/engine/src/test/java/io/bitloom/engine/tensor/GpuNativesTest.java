package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.engine.tensor.link.CudaLibrary;
import io.bitloom.engine.tensor.link.HostLibraries;
import io.bitloom.engine.tensor.link.LinkerPaths;
import io.bitloom.engine.tensor.link.Readelf;
import io.bitloom.engine.tensor.link.TestElf;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the native libraries of the build for GPUs need of a machine: a list that {@code readelf}
 * made, and everything that has to agree with it. The libraries themselves are 455 MB, so that they
 * are looked at only where Maven has them already. After an update, with them there, this writes
 * the list anew:
 *
 * <pre>
 * mvn -q -pl worker/engine -am test -Dtest=GpuNativesTest -Dsurefire.failIfNoSpecifiedTests=false -Dbitloom.write.docs=true
 * </pre>
 */
class GpuNativesTest {
  private static final Path LIST =
      Path.of("src/test/resources/io/bitloom/engine/tensor/gpu-natives.txt");
  private static final Path PAGE = Path.of("../../docs/operations/gpu.md");

  /** Of the C and C++ runtimes, which every machine has on which the JVM runs. */
  private static final Set<String> OF_EVERY_MACHINE =
      Set.of("ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1", "libm.so.6", "libstdc++.so.6");

  private static final String OPENBLAS = "libopenblas.so.0";

  /** Needed by libraries of CUDA alone. */
  private static final String OF_CUDA_ITSELF = "libnvJitLink.so.13";

  private static final LinkerPaths NOWHERE = new LinkerPaths(List.of(), Map.of(), List.of());

  @TempDir Path folder;

  @Test
  void theListSaysWhatTheLibrariesNeed() throws IOException {
    List<Path> jars =
        Stream.of(System.getProperty("bitloom.gpu.natives").split(":")).map(Path::of).toList();
    boolean present = jars.stream().allMatch(Files::exists) && Readelf.present();
    if (!present) {
      System.out.println(
          "GpuNativesTest: the list of what the build for GPUs needs is not compared with its"
              + " libraries, since Maven has not fetched them here, or readelf is missing");
    }
    assumeTrue(present, "no libraries of the build for GPUs");
    Map<String, List<String>> needed = new TreeMap<>();
    for (Path jar : jars) {
      unpack(jar, needed);
    }

    if (Boolean.getBoolean("bitloom.write.docs")) {
      Files.write(
          LIST,
          needed.entrySet().stream()
              .map(library -> library.getKey() + ": " + String.join(" ", library.getValue()))
              .toList());
    }
    assertEquals(needed, list());
  }

  private void unpack(Path jar, Map<String, List<String>> needed) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      Enumeration<? extends ZipEntry> entries = zip.entries();
      while (entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        boolean isLoaded =
            entry.getName().startsWith("org/bytedeco/pytorch/")
                ? name.contains(".so")
                : GpuNatives.OF_CUDA.contains(name);
        if (isLoaded) {
          Path file = folder.resolve(name);
          try (InputStream content = zip.getInputStream(entry)) {
            Files.copy(content, file);
          }
          needed.put(name, Readelf.values(file, "NEEDED"));
          HostLibraries asRead = HostLibraries.of(List.of(file), List.of(file), NOWHERE);
          Set<String> all = new TreeSet<>(asRead.missing());
          all.addAll(asRead.found().keySet()); // where the library itself names the folder
          assertTrue(all.containsAll(needed.get(name)), name + " as it is read: " + all);
          Files.delete(file);
        }
      }
    }
  }

  private static Map<String, List<String>> list() throws IOException {
    Map<String, List<String>> list = new TreeMap<>();
    for (String line : Files.readAllLines(LIST)) {
      String[] parts = line.split(": ");
      list.put(parts[0], List.of(parts[1].split(" ")));
    }
    return list;
  }

  /** The names of libraries of NVIDIA in the table, which is what people are told. */
  private static Set<String> inTheTable() {
    return CudaLibrary.all().stream()
        .map(CudaLibrary::name)
        .filter(name -> !name.equals(OF_CUDA_ITSELF))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void theCheckAtTheStartNamesEveryLibraryOfTheListAndTheTableKnowsEachOfThem() throws IOException {
    List<Path> bundle = new ArrayList<>();
    for (Map.Entry<String, List<String>> library : list().entrySet()) {
      bundle.add(TestElf.write(folder.resolve(library.getKey()), "", library.getValue()));
    }
    bundle.add(TestElf.write(folder.resolve(OPENBLAS), "", List.of("libc.so.6")));

    HostLibraries bare = HostLibraries.of(bundle, bundle, NOWHERE);

    Set<String> expected = new TreeSet<>(OF_EVERY_MACHINE);
    expected.addAll(inTheTable());
    assertEquals(expected, bare.missing());
    assertEquals(inTheTable(), neededByTheList());
  }

  private static Set<String> neededByTheList() throws IOException {
    Set<String> needed = new TreeSet<>();
    list().values().forEach(needed::addAll);
    needed.removeAll(list().keySet());
    needed.removeAll(OF_EVERY_MACHINE);
    needed.remove(OPENBLAS);
    return needed;
  }

  @Test
  void everyLibraryThatIsLoadedIsInTheList() throws IOException {
    Set<String> files = list().keySet();

    assertTrue(files.containsAll(GpuNatives.OF_CUDA), files::toString);
    assertTrue(files.containsAll(GpuNatives.FOR_ANY_DEVICE), files::toString);
    assertTrue(files.contains("libtorch_cuda.so"), files::toString);
  }

  @Test
  void whatIsMissingIsToldByProduct() {
    assertEquals(
        "NVIDIA's driver 580 or newer (libcuda.so.1), CUDA 13 (libcudart.so.13, libcublas.so.13),"
            + " NCCL 2 (libnccl.so.2), also (libz.so.9)",
        CudaLibrary.describe(
            List.of(
                "libnccl.so.2",
                "libz.so.9",
                "libcublas.so.13",
                "libcuda.so.1",
                "libcudart.so.13")));
  }

  /** Where to get each library is on a page for people. */
  @Test
  void thePageHasThePackagesOfEveryLibrary() throws IOException {
    String page = Files.readString(PAGE);
    List<String> absent =
        CudaLibrary.all().stream()
            .map(
                library ->
                    "| `%s` | %s | `%s` | %s |\n"
                        .replaceFirst("%s", library.name())
                        .replaceFirst("%s", library.product())
                        .replaceFirst("%s", library.debianPackage())
                        .replaceFirst(
                            "%s", library.wheel().isEmpty() ? "" : "`" + library.wheel() + "`"))
            .filter(row -> !page.contains(row))
            .toList();
    assertEquals(List.of(), absent);
  }
}
